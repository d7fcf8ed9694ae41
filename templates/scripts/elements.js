// Elements of the two languages that HTML has no tags for, drawings and formulas.

function svgElement(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

function mathElement(name, ...content) {
  const element = document.createElementNS("http://www.w3.org/1998/Math/MathML", name);
  element.append(...content);
  return element;
}
