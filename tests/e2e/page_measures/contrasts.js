// Returns [text, contrast] of every visible text with what lies behind it, by WCAG 2.2's formula.
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);

function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function background(element) {
  const colour = getComputedStyle(element).backgroundColor;
  const opaque = (channels(colour)[3] ?? 1) === 1;
  return opaque || !element.parentElement ? colour : background(element.parentElement);
}

function contrast(element) {
  const [light, dark] = [getComputedStyle(element).color, background(element)].map(luminance).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const holdsText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
const visible = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() && holdsText(element));
return visible.map((element) => [element.textContent.trim().slice(0, 40), contrast(element)]);
