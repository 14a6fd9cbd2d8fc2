/* Texts whose contrast with what lies behind them is below what WCAG 2 asks for at level AA; sizes in CSS pixels. */
() => {
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    const [r, g, b] = text.startsWith('color(') ? numbers.slice(0, 3).map((value) => value * 255) : numbers;
    const alpha = text.startsWith('color(') ? numbers[3] : numbers[3];
    return { r, g, b, a: alpha === undefined ? 1 : alpha };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    const canvas = parse(getComputedStyle(document.documentElement).backgroundColor);
    return layers.reverse().reduce((below, layer) => over(layer, below), canvas);
  };
  const light = ({ r, g, b }) => {
    const part = (value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const found = [];
  for (const element of document.querySelectorAll('body *:not(script):not(style)')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || element.closest('svg, [hidden], .unseen, .skip') || !element.getClientRects().length) continue;
    const ground = behind(element);
    const [high, low] = [light(over(parse(style.color), ground)), light(ground)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) {
      found.push(`${element.className || element.tagName} '${element.textContent.trim().slice(0, 30)}': ${ratio.toFixed(2)}`);
    }
  }
  return found;
};
