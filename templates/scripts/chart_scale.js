// Where a chart of errors puts an iteration and an error, and which iteration the reader points at.

// `frame` is the rectangle of the axes in the drawing, the ranges that it shows, and whether its heights are logarithmic.
function chartScale(frame) {
  const [first, last] = frame.x_range;
  const [lowest, highest] = frame.y_range;
  // What a logarithm can't show lies far below the frame.
  const bent = frame.logarithmic ? error => Math.log(Math.max(error, Number.MIN_VALUE)) : error => error;
  const [low, high] = [bent(lowest), bent(highest)];
  const [width, height] = [frame.right - frame.left, frame.bottom - frame.top];
  const x = iteration => frame.left + (width * (iteration - first)) / (last - first);
  return {
    frame, x,
    y: error => frame.bottom - (height * (bent(error) - low)) / (high - low),
    inside: error => error >= lowest && error <= highest,
    // The iteration below a pointer that is somewhere on the drawing.
    iterationAt: (event, svg) => {
      const box = svg.getBoundingClientRect();
      const place = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      return Math.min(Math.max(Math.round(first + ((place - frame.left) / width) * (last - first)), first), last);
    },
  };
}

// The curve of the errors; where they overflow, it ends.
function chartPath(errors, scale) {
  const overflow = firstWhere(errors, error => !Number.isFinite(error));
  const points = errors.slice(0, overflow ?? errors.length).map((error, k) => `${scale.x(k).toFixed(2)} ${scale.y(error).toFixed(2)}`);
  return points.length ? `M${points.join("L")}` : "";
}
