// “Draw a digit”: strokes or a test image → what the network gets → what it says.
afterFirstPaint(() => {
  const PAUSE = 800; // milliseconds without a change after which the answer is read out
  const POSITIVE = [47, 98, 173], NEGATIVE = [176, 74, 16], INK = [0, 0, 0];
  const SMALL = 1e-9; // in place of a largest value of 0, to divide by
  const NEAR = 0.004; // points closer than this part of the field's width add nothing to a stroke

  const part = name => document.getElementById(`digit-${name}`);
  const data = JSON.parse(part("data").textContent);
  const paper = part("paper"), seen = part("seen"), shares = [...part("shares").children];
  const maps = [...document.querySelectorAll(".digit-map")], kernels = [...document.querySelectorAll(".digit-kernel")];
  const radios = [...part("picks").querySelectorAll("input")];
  const state = { strokes: [], pick: null, pointer: null, awaited: false, rest: 0, outputs: [], probabilities: [] };
  let network = null, pause = 0;

  const largest = values => values.reduce((a, b) => Math.max(a, b), 0);
  const named = digit => `${digit === 8 ? "an" : "a"} ${digit}`;
  const percent = share => `${(100 * share).toFixed(1)}\u00a0%`;
  const isEmpty = () => state.pick === null && !state.strokes.length;

  // The image that the network gets.
  function currentImage() {
    if (state.pick === null) return digitImage.fromStrokes(state.strokes);
    return Uint8Array.from(atob(data.picks[state.pick]), character => character.charCodeAt(0));
  }

  // Paint one pixel for each value, from -1 to 1: the sign is the colour, the size the opacity. (In the dark scheme the
  // style sheet turns the colours round.)
  function paint(canvas, values, positive = INK, negative = INK) {
    const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
    values.forEach((value, place) => {
      const [red, green, blue] = value < 0 ? negative : positive;
      image.data.set([red, green, blue, Math.round(255 * Math.abs(value))], 4 * place);
    });
    context.putImageData(image, 0, 0);
  }

  function paintPaper() {
    const edge = Math.round(paper.clientWidth * devicePixelRatio), context = paper.getContext("2d");
    if (paper.width !== edge) paper.width = paper.height = edge;
    context.clearRect(0, 0, edge, edge);
    context.imageSmoothingEnabled = false;
    if (state.pick !== null) context.drawImage(seen, 0, 0, edge, edge);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = digitImage.penWidth * edge;
    context.beginPath();
    for (const stroke of state.strokes) {
      context.moveTo(stroke[0][0] * edge, stroke[0][1] * edge);
      for (const [x, y] of stroke) context.lineTo(x * edge, y * edge);
    }
    context.stroke();
  }

  function showShares(best) {
    shares.forEach((row, digit) => {
      const share = state.probabilities[digit] ?? null, data = row.querySelector("data");
      data.value = share ?? "";
      data.textContent = share === null ? "–" : percent(share);
      row.querySelector(".digit-bar").style.width = `${100 * (share ?? 0)}%`;
      row.classList.toggle("best", digit === best);
      row.querySelector(".digit-mark").textContent = digit === best ? "answer" : "";
    });
  }

  // The first layer's maps after ReLU, one array each; nothing where nothing is drawn.
  function firstMaps() {
    const first = state.outputs[data.layers.findIndex(({ kind }) => kind === "ReLU")];
    return maps.map(({ width, height }, channel) => {
      const plane = width * height;
      return first ? first.values.subarray(channel * plane, (channel + 1) * plane) : new Float64Array(plane);
    });
  }

  function showMaps() {
    const planes = firstMaps(), most = Math.max(SMALL, ...planes.map(largest));
    maps.forEach((canvas, channel) => paint(canvas, planes[channel].map(value => value / most)));
  }

  function describeMaps() {
    firstMaps().forEach((plane, channel) => {
      const most = largest(plane), place = plane.indexOf(most), width = maps[channel].width;
      const where = `row ${Math.floor(place / width) + 1}, column ${(place % width) + 1}`;
      const words = most > 0 ? `largest value ${most.toFixed(2)}, in ${where}` : "nothing above zero";
      maps[channel].setAttribute("aria-label", `Map ${channel + 1}: ${words}`);
    });
  }

  function showSource() {
    const drawn = state.strokes.length ? "Your drawing, scaled and centred" : "An empty field";
    part("source").textContent = state.pick === null ? drawn : `As it is: ${radios[state.pick].nextElementSibling.alt}`;
    part("hint").hidden = Boolean(state.strokes.length);
  }

  function classify(image) {
    network ??= digitNetwork.read(data);
    const start = performance.now(), { logits, outputs } = digitNetwork.run(network, image);
    part("milliseconds").textContent = Math.max(1, Math.round(performance.now() - start));
    part("time").hidden = false;
    return { outputs, probabilities: digitNetwork.softmax(logits) };
  }

  // Bring everything but the paper in line with the state.
  function answer() {
    const start = performance.now(), image = currentImage();
    paint(seen, [...image].map(byte => byte / 255));
    Object.assign(state, isEmpty() ? { outputs: [], probabilities: [] } : classify(image));
    const best = state.probabilities.indexOf(Math.max(...state.probabilities));
    showShares(best);
    showMaps();
    showSource();
    const likely = isEmpty() ? "" : percent(state.probabilities[best]);
    part("answer").textContent = likely ? `It looks like ${named(best)}: ${likely}` : "Draw something";
    state.rest = 2 * performance.now() - start;
  }

  // Once a frame. Answering gets half of the time at most, so that on any machine the ink keeps up with the pen.
  function update() {
    const resting = performance.now() < state.rest;
    if (!resting) answer();
    paintPaper();
    state.awaited = resting;
    if (resting) requestAnimationFrame(update);
    else part("shares").setAttribute("aria-busy", "false");
  }

  function change(quietly = false) {
    if (!state.awaited) requestAnimationFrame(update);
    state.awaited = true;
    part("shares").setAttribute("aria-busy", "true");
    clearTimeout(pause);
    if (!quietly) pause = setTimeout(announce, PAUSE);
  }

  // Read the answer out, and describe the maps, only when the pen is up and the answer is there.
  function announce() {
    if (state.awaited || state.pointer !== null) {
      pause = setTimeout(announce, PAUSE);
      return;
    }
    const order = state.probabilities.map((share, digit) => ({ share, digit })).sort((a, b) => b.share - a.share);
    const [first, next] = order.map(({ share, digit }) => `${named(digit)}, ${percent(share)}`);
    part("status").textContent = first
      ? `The network reads ${first}; next ${next}.`
      : "The field is empty: draw something, or pick a test image.";
    describeMaps();
  }

  function pick(choice, quietly = false) {
    state.pick = choice;
    state.pointer = null;
    state.strokes = [];
    state.rest = 0;
    if (choice === null) for (const radio of radios) radio.checked = false;
    change(quietly);
  }

  function point(event) {
    const field = paper.getBoundingClientRect(), within = value => Math.min(1, Math.max(0, value));
    return [within((event.clientX - field.left) / field.width), within((event.clientY - field.top) / field.height)];
  }

  function begin(event) {
    if (state.pointer !== null || event.button) return;
    if (state.pick !== null) pick(null);
    paper.setPointerCapture(event.pointerId);
    state.pointer = event.pointerId;
    state.strokes.push([point(event)]);
    change();
  }

  function move(event) {
    if (event.pointerId !== state.pointer) return;
    const stroke = state.strokes.at(-1), passed = event.getCoalescedEvents?.() ?? [];
    for (const next of (passed.length ? passed : [event]).map(point)) {
      const [x, y] = stroke.at(-1);
      if (Math.hypot(next[0] - x, next[1] - y) > NEAR) stroke.push(next);
    }
    change();
  }

  function end(event) {
    if (event.pointerId === state.pointer) state.pointer = null;
  }

  function undo() {
    state.pointer = null;
    state.strokes.pop();
    if (state.pick !== null) pick(null);
    change();
  }

  function paintKernels() {
    const first = data.layers[0], weights = digitNetwork.floats(data.tensors[`${first.name}.weight`].data);
    const most = Math.max(SMALL, largest(weights.map(Math.abs))), count = first.kernel ** 2;
    kernels.forEach((canvas, channel) => {
      const own = [...weights.subarray(channel * count, (channel + 1) * count)];
      paint(canvas, own.map(weight => weight / most), POSITIVE, NEGATIVE);
    });
  }

  // Nothing is computed before the reader comes near; then the first test image shows what there is to see.
  function arrive(entries, observer) {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    paintKernels();
    if (!isEmpty()) return;
    radios[0].checked = true;
    pick(0, true);
  }

  paper.addEventListener("pointerdown", begin);
  paper.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) paper.addEventListener(name, end);
  part("undo").addEventListener("click", undo);
  part("clear").addEventListener("click", () => pick(null));
  part("picks").addEventListener("change", event => pick(Number(event.target.value)));
  new ResizeObserver(() => change(true)).observe(paper);
  new IntersectionObserver(arrive, { rootMargin: "300px" }).observe(paper.closest("section"));
});
