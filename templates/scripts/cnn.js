// The trained CNN's forward pass: what torch computes for one image, layer by layer as the records describe them.

/**
 * Channel after channel, row after row, in double precision.
 * @typedef {{ values: Float64Array, channels: number, size: number }} Volume
 */
/** @typedef {DigitData["tensors"]} Tensors */
/** @typedef {(layer: LayerFacts, tensors: Tensors, epsilon: number) => (input: Volume) => Volume} Kind */
/** @typedef {ReturnType<typeof readNetwork>} Network */

/** @param {number} channels @param {number} size @returns {Volume} */
const createVolume = (channels, size) => ({ values: new Float64Array(channels * size * size), channels, size });

// Decode float32 numbers, little-endian, from base64.
export function decodeTensor(/** @type {WeightTensor} */ { data }) {
  const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

/** @param {Volume} input @param {number} padding @param {number} filling */
function pad(input, padding, filling) {
  if (!padding) return input;
  const result = createVolume(input.channels, input.size + 2 * padding);
  if (filling) result.values.fill(filling);
  for (let row = 0; row < input.channels * input.size; row++) {
    const y = (row % input.size) + padding;
    const channel = Math.floor(row / input.size);
    const from = input.values.subarray(row * input.size, (row + 1) * input.size);
    result.values.set(from, (channel * result.size + y) * result.size + padding);
  }
  return result;
}

// Add weight times one input plane, seen from `start` on, to one output plane.
/**
 * @param {Volume} output @param {number} outputStart @param {Volume} input @param {number} start
 * @param {number} stride @param {number} weight
 */
function addProducts(output, outputStart, input, start, stride, weight) {
  const { values, size } = output;
  const factors = input.values;
  for (let y = 0; y < size; y++) {
    let from = start + y * stride * input.size;
    const end = outputStart + (y + 1) * size;
    for (let to = end - size; to < end; to++, from += stride) values[to] += weight * factors[from];
  }
}

// Like torch, a cross-correlation: the window is not turned round.
/** @type {Kind} */
function convolution(layer, tensors) {
  const weights = decodeTensor(tensors[`${layer.name}.weight`]);
  const biases = decodeTensor(tensors[`${layer.name}.bias`]);
  const { channels, size } = layer;
  const [kernel, stride, padding] = windowOf(layer);
  return input => {
    const from = pad(input, padding, 0);
    const result = createVolume(channels, size);
    const plane = size * size;
    for (let out = 0, place = 0; out < channels; out++) {
      result.values.fill(biases[out], out * plane, (out + 1) * plane);
      for (let channel = 0; channel < from.channels; channel++)
        for (let y = 0; y < kernel; y++)
          for (let x = 0; x < kernel; x++) {
            const start = (channel * from.size + y) * from.size + x;
            addProducts(result, out * plane, from, start, stride, weights[place++]);
          }
    }
    return result;
  };
}

// Kernel, stride and padding of a layer that has a window.
function windowOf(/** @type {LayerFacts} */ { kernel, stride, padding }) {
  return [kernel ?? 1, stride ?? 1, padding ?? 0];
}

// With fixed running statistics it is one multiplication and one addition for each channel.
/** @type {Kind} */
function batchNormalisation(layer, tensors, epsilon) {
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(name =>
    decodeTensor(tensors[`${layer.name}.${name}`]),
  );
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

/** @type {Kind} */
function relu() {
  return input => ({ ...input, values: input.values.map(value => Math.max(value, 0)) });
}

/** @type {Kind} */
function maxPooling(layer) {
  const { size } = layer;
  const [kernel, stride, padding] = windowOf(layer);
  return input => {
    const from = pad(input, padding, -Infinity);
    const result = createVolume(input.channels, size);
    for (let place = 0; place < result.values.length; place++) {
      const x = place % size;
      const y = Math.floor(place / size) % size;
      const channel = Math.floor(place / size / size);
      let most = -Infinity;
      for (let row = y * stride; row < y * stride + kernel; row++)
        for (let column = x * stride; column < x * stride + kernel; column++)
          most = Math.max(most, from.values[(channel * from.size + row) * from.size + column]);
      result.values[place] = most;
    }
    return result;
  };
}

/** @type {Kind} */
function globalAveragePooling() {
  return input => {
    const plane = input.size * input.size;
    const result = createVolume(input.channels, 1);
    for (const [place, value] of input.values.entries()) result.values[Math.floor(place / plane)] += value / plane;
    return result;
  };
}

/** @type {Map<string, Kind>} */
const KINDS = new Map([
  ["Conv2d", convolution],
  ["ReLU", relu],
  ["BatchNorm2d", batchNormalisation],
  ["MaxPool2d", maxPooling],
  ["AdaptiveAvgPool2d", globalAveragePooling],
]);

// Make the steps of a network from the facts of its layers and its tensors.
export function readNetwork(/** @type {DigitData} */ { layers, tensors, mean, standard_deviation, epsilon }) {
  const steps = layers.map(layer => {
    const kind = KINDS.get(layer.kind);
    if (!kind) throw new Error(`there is no layer of kind ${layer.kind}`);
    return kind(layer, tensors, epsilon);
  });
  return { steps, mean, standard_deviation };
}

// Run 28 × 28 bytes, 0 (paper) to 255 (ink), through the network; returns its logits and what each layer computed.
/** @param {Network} network @param {Uint8Array} bytes */
export function runImage({ steps, mean, standard_deviation }, bytes) {
  const values = Float64Array.from(bytes, byte => (byte / 255 - mean) / standard_deviation);
  // Truncated to an integer type: with a floating-point size every index below would be computed in floating point.
  /** @type {Volume} */
  let last = { values, channels: 1, size: Math.sqrt(bytes.length) | 0 };
  const outputs = steps.map(step => {
    last = step(last);
    return last;
  });
  return { logits: [...last.values], outputs };
}

export function softmax(/** @type {number[]} */ logits) {
  const most = Math.max(...logits);
  const powers = logits.map(logit => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map(power => power / sum);
}
