// The page's elements: found with the class that the script needs, or made.

// Throws where the first match is none of that class.
/** @type {<T extends Element = HTMLElement>(selector: string, kind?: new () => T, root?: ParentNode) => T} */
export function find(selector, kind = /** @type {any} */ (HTMLElement), root = document) {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`“${selector}” matches no ${kind.name}`);
}

/** @type {<T extends Element = HTMLElement>(selector: string, kind?: new () => T, root?: ParentNode) => T[]} */
export function findAll(selector, kind = /** @type {any} */ (HTMLElement), root = document) {
  return /** @type {any[]} */ ([...root.querySelectorAll(selector)]).filter(element => element instanceof kind);
}

// Parse a JSON block of the page; tests/scripts/page_data.d.ts declares what Python writes into it.
export const readJson = (/** @type {string} */ id) => JSON.parse(find(`#${id}`, HTMLScriptElement).text);

/** @param {Element} element @param {Record<string, string | number>} attributes */
export function setAttributes(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
}

/** @param {string} name @param {Record<string, string | number>} attributes */
export function createSvg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(element, attributes);
  element.textContent = text;
  return element;
}

/** @param {string} name @param {(string | Node)[]} content */
export function createMath(name, ...content) {
  const element = document.createElementNS("http://www.w3.org/1998/Math/MathML", name);
  element.append(...content);
  return element;
}

// What can wait until the page is on the screen.
export const afterFirstPaint = (/** @type {() => void} */ task) => requestAnimationFrame(() => setTimeout(task));
