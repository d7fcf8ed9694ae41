// The trained CNN's forward pass: what torch computes for one image, layer by layer as the records describe them.
/** @typedef {ReturnType<typeof createVolume>} Volume */
/** @typedef {ReturnType<typeof readNetwork>} Network */
/** @typedef {(layer: LayerFacts, tensors: DigitData["tensors"], epsilon: number) => (input: Volume) => Volume} Layer */

// Values channel after channel, row after row, in double precision.
function createVolume(/** @type {number} */ channels, /** @type {number} */ size) {
  return { values: new Float64Array(channels * size * size), channels, size };
}

export const decodeBytes = (/** @type {string} */ base64) =>
  Uint8Array.from(atob(base64), character => character.charCodeAt(0));

// Decode float32 numbers, little-endian.
export function decodeTensor(/** @type {WeightTensor} */ { data }) {
  const bytes = decodeBytes(data), view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

function pad(/** @type {Volume} */ input, /** @type {number} */ padding, /** @type {number} */ filling) {
  if (!padding) return input;
  const result = createVolume(input.channels, input.size + 2 * padding);
  if (filling) result.values.fill(filling);
  for (let row = 0; row < input.channels * input.size; row++) {
    const channel = Math.floor(row / input.size), y = (row % input.size) + padding;
    const from = input.values.subarray(row * input.size, (row + 1) * input.size);
    result.values.set(from, (channel * result.size + y) * result.size + padding);
  }
  return result;
}

// Add weight times one input plane, seen from `start` on, to the output plane that begins at `plane`.
/** @type {(output: Volume, plane: number, input: Volume, start: number, stride: number, weight: number) => void} */
function addProducts({ values, size }, plane, input, start, stride, weight) {
  const factors = input.values;
  for (let y = 0; y < size; y++) {
    let from = start + y * stride * input.size;
    const end = plane + (y + 1) * size;
    for (let to = end - size; to < end; to++, from += stride) values[to] += weight * factors[from];
  }
}

// Kernel, stride and padding of a layer that has a window.
const windowOf = (/** @type {LayerFacts} */ layer) => [layer.kernel ?? 1, layer.stride ?? 1, layer.padding ?? 0];

/** @type {Record<string, Layer>} */
const LAYERS = {
  // Like torch, a cross-correlation: the window is not turned round.
  Conv2d: (layer, tensors) => {
    const [weights, biases] = ["weight", "bias"].map(name => decodeTensor(tensors[`${layer.name}.${name}`]));
    const { channels, size } = layer, [kernel, stride, padding] = windowOf(layer), plane = size * size;
    return input => {
      const from = pad(input, padding, 0), result = createVolume(channels, size);
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
  },

  ReLU: () => input => ({ ...input, values: input.values.map(value => Math.max(value, 0)) }),

  // With fixed running statistics it is one multiplication and one addition for each channel.
  BatchNorm2d: (layer, tensors, epsilon) => {
    const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
      .map(name => decodeTensor(tensors[`${layer.name}.${name}`]));
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
  },

  MaxPool2d: layer => {
    const { size } = layer, [kernel, stride, padding] = windowOf(layer);
    return input => {
      const from = pad(input, padding, -Infinity), result = createVolume(input.channels, size);
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
  },

  AdaptiveAvgPool2d: () => input => {
    const plane = input.size * input.size, result = createVolume(input.channels, 1);
    for (const [place, value] of input.values.entries()) result.values[Math.floor(place / plane)] += value / plane;
    return result;
  },
};

// Make the steps of a network from the facts of its layers and its tensors.
export function readNetwork(/** @type {DigitData} */ { layers, tensors, mean, standard_deviation, epsilon }) {
  const steps = layers.map(layer => {
    if (!Object.hasOwn(LAYERS, layer.kind)) throw new Error(`there is no layer of kind ${layer.kind}`);
    return LAYERS[layer.kind](layer, tensors, epsilon);
  });
  return { steps, mean, standard_deviation };
}

// Run 28 × 28 bytes, 0 (paper) to 255 (ink), through the network; returns its logits and what each layer computed.
/** @param {Network} network @param {Uint8Array} bytes */
export function runImage({ steps, mean, standard_deviation }, bytes) {
  const values = Float64Array.from(bytes, byte => (byte / 255 - mean) / standard_deviation);
  // Truncated to an integer type: with a floating-point size every index below would be computed in floating point.
  const outputs = [{ values, channels: 1, size: Math.sqrt(bytes.length) | 0 }];
  for (const [place, step] of steps.entries()) outputs.push(step(outputs[place]));
  return { logits: [...outputs[steps.length].values], outputs: outputs.slice(1) };
}

export function softmax(/** @type {number[]} */ logits) {
  const most = Math.max(...logits), powers = logits.map(logit => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map(power => power / sum);
}
