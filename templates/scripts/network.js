// The trained network's forward pass: what torch computes for one image, layer by layer as the records describe them.
const digitNetwork = (() => {
  // A volume is {values, channels, size}: channel after channel, row after row, in double precision.
  const volume = (channels, size) => ({ values: new Float64Array(channels * size * size), channels, size });

  function floats(base64) {
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
  }

  function padded(input, padding, filling) {
    if (!padding) return input;
    const result = volume(input.channels, input.size + 2 * padding);
    if (filling) result.values.fill(filling);
    for (let row = 0; row < input.channels * input.size; row++) {
      const channel = Math.floor(row / input.size), y = (row % input.size) + padding;
      const from = input.values.subarray(row * input.size, (row + 1) * input.size);
      result.values.set(from, (channel * result.size + y) * result.size + padding);
    }
    return result;
  }

  // Add weight times one input plane, seen from (top, left) on, to one output plane.
  function addProducts(output, outputStart, size, input, inputStart, width, stride, weight) {
    for (let y = 0; y < size; y++) {
      let from = inputStart + y * stride * width;
      const end = outputStart + (y + 1) * size;
      for (let to = end - size; to < end; to++, from += stride) output[to] += weight * input[from];
    }
  }

  // Like torch, a cross-correlation: the window is not turned round.
  function convolution(layer, tensors) {
    const weights = floats(tensors[`${layer.name}.weight`].data), biases = floats(tensors[`${layer.name}.bias`].data);
    const { kernel, stride, channels, size } = layer;
    return input => {
      const from = padded(input, layer.padding, 0), result = volume(channels, size), plane = size * size;
      for (let out = 0, place = 0; out < channels; out++) {
        result.values.fill(biases[out], out * plane, (out + 1) * plane);
        for (let channel = 0; channel < from.channels; channel++)
          for (let y = 0; y < kernel; y++)
            for (let x = 0; x < kernel; x++) {
              const start = (channel * from.size + y) * from.size + x;
              addProducts(result.values, out * plane, size, from.values, start, from.size, stride, weights[place++]);
            }
      }
      return result;
    };
  }

  // With fixed running statistics it is one multiplication and one addition for each channel.
  function normalisation(layer, tensors, epsilon) {
    const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
      .map(part => floats(tensors[`${layer.name}.${part}`].data));
    const scale = weight.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon));
    const shift = bias.map((value, channel) => value - mean[channel] * scale[channel]);
    return input => {
      const plane = input.size * input.size;
      const values = input.values.map((value, place) => {
        const channel = Math.floor(place / plane);
        return value * scale[channel] + shift[channel];
      });
      return { ...input, values };
    };
  }

  function rectifier() {
    return input => ({ ...input, values: input.values.map(value => (value > 0 ? value : 0)) });
  }

  function maximum(layer) {
    const { kernel, stride, size } = layer;
    return input => {
      const from = padded(input, layer.padding, -Infinity), result = volume(input.channels, size);
      for (let place = 0; place < result.values.length; place++) {
        const x = place % size, y = Math.floor(place / size) % size, channel = Math.floor(place / size / size);
        let most = -Infinity;
        for (let row = y * stride; row < y * stride + kernel; row++)
          for (let column = x * stride; column < x * stride + kernel; column++)
            most = Math.max(most, from.values[(channel * from.size + row) * from.size + column]);
        result.values[place] = most;
      }
      return result;
    };
  }

  function average() {
    return input => {
      const plane = input.size * input.size, result = volume(input.channels, 1);
      input.values.forEach((value, place) => { result.values[Math.floor(place / plane)] += value / plane; });
      return result;
    };
  }

  const kinds = {
    Conv2d: convolution, ReLU: rectifier, BatchNorm2d: normalisation, MaxPool2d: maximum, AdaptiveAvgPool2d: average,
  };

  // Make the steps of a network from the facts of its layers and its tensors (float32 in base64).
  function read({ layers, tensors, mean, deviation, epsilon }) {
    const steps = layers.map(layer => {
      if (!Object.hasOwn(kinds, layer.kind)) throw new Error(`there is no layer of kind ${layer.kind}`);
      return kinds[layer.kind](layer, tensors, epsilon);
    });
    return { layers, steps, mean, deviation };
  }

  // Run 28 × 28 bytes, 0 (paper) to 255 (ink), through the network; gives its logits and what each layer made.
  function run(network, bytes) {
    const values = Float64Array.from(bytes, byte => (byte / 255 - network.mean) / network.deviation);
    // Truncated to an integer type: with a floating-point size every index below would be computed in floating point.
    let last = { values, channels: 1, size: Math.sqrt(bytes.length) | 0 };
    const outputs = network.steps.map(step => (last = step(last)));
    return { logits: [...last.values], outputs };
  }

  function softmax(logits) {
    const most = Math.max(...logits), powers = logits.map(logit => Math.exp(logit - most));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map(power => power / sum);
  }

  return { read, run, softmax, floats };
})();
