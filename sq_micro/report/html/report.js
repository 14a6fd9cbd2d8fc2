'use strict';
/*
 * Pins: a person chooses other bits for an operator, and the page adds up its own tables to say what that would take.
 *
 *   total = what the image takes + Σ over changed operators (table at the new bits − table at the image's bits)
 *
 * Functions that several operators call are counted once. The stack is what the deepest operator wants; it is that of
 * the image where no operator's is known. The arena is looked up in a table. What a table does not know is null, and
 * so is then every total that needs it. Nothing is fetched and nothing is stored.
 */
(() => {
  const tables = JSON.parse(document.getElementById('tables').textContent);
  const original = new Map(tables.operators.map((operator) => [operator.name, operator.bits]));
  const chosen = new Map(original);

  /** Σ of a column's differences over the changed operators; null where any is unknown. */
  const difference = (column) => {
    let sum = 0;
    for (const operator of tables.operators) {
      const bits = chosen.get(operator.name);
      if (bits === operator.bits) continue;
      const before = operator.widths[operator.bits][column];
      const after = operator.widths[bits][column];
      if (before === null || after === null) return null;
      sum += after - before;
    }
    return sum;
  };

  /** Bytes of all functions that the operators call at these bits: what several call is there once. */
  const calledBytes = (bits) => {
    const sizes = new Map();
    for (const operator of tables.operators) {
      for (const [name, size] of Object.entries(operator.widths[bits.get(operator.name)].calls)) {
        sizes.set(name, Math.max(size, sizes.get(name) ?? 0));
      }
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  };

  /** The arena of the chosen bits; null without a table. */
  const arenaBytes = () => {
    if (tables.arena === null) return null;
    const { operators, groups, boxes } = tables.arena;
    const place = operators.map((name, axis) => groups[axis].findIndex((group) => group.includes(chosen.get(name))));
    const holds = ({ first, last }) => place.every((group, axis) => first[axis] <= group && group <= last[axis]);
    return boxes.find(holds).arena_bytes;
  };

  /** The stack that is set aside at these bits. */
  const stackBytes = (bits) =>
    Math.max(tables.stack, ...tables.operators.map((operator) => operator.widths[bits.get(operator.name)].stack));

  const plus = (base, change) => (base === null || change === null ? null : base + change);

  /** Totals of the chosen bits, in the units of result.json. */
  const totals = () => {
    const arena = arenaBytes();
    const cycles = difference('cycles');
    const seconds = cycles === null || !tables.clock_hz ? null : cycles / tables.clock_hz;
    const latency = plus(tables.totals.latency, seconds);
    return {
      flash: plus(tables.totals.flash, plus(difference('flash'), calledBytes(chosen) - calledBytes(original))),
      weights: plus(tables.totals.weights, difference('weights')),
      constants: difference('constants'),
      sram: arena === null ? null : tables.totals.sram - tables.totals.arena + arena + stackBytes(chosen) - stackBytes(original),
      cycles: plus(tables.totals.cycles, cycles),
      latency,
      energy: tables.power_w === null || latency === null ? null : plus(tables.totals.energy, seconds * tables.power_w),
      damage: difference('damage'),
    };
  };

  const grouped = (value, digits = 0) =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

  /** [number, unit] as the rest of the page writes them. */
  const amount = (value, unit) => {
    if (unit === 'B') return [grouped(value), 'B'];
    const magnitude = Math.abs(value);
    if (magnitude >= 1 || value === 0) return [grouped(value, 2), unit];
    const [prefix, factor] = magnitude * 1e3 >= 1 ? ['m', 1e3] : ['µ', 1e6];
    return [grouped(value * factor, 2), prefix + unit];
  };
  const signed = (value, unit) => `${value < 0 ? '−' : '+'}${amount(Math.abs(value), unit).join(' ')}`;

  const nats = (value) => (value === 0 ? '0' : value.toExponential(1));

  const UNITS = { flash: 'B', sram: 'B', latency: 's', energy: 'J' };
  const cards = {};
  for (const key of Object.keys(UNITS)) {
    const card = document.getElementById(`card-${key}`);
    if (card) {
      const find = (name) => card.querySelector(`[data-${name}]`);
      cards[key] = { card, value: find('value'), unit: find('unit'), delta: find('delta'), allowed: find('allowed') };
      cards[key].before = [cards[key].value.textContent, cards[key].unit.textContent, cards[key].allowed.textContent];
      cards[key].wasOver = card.classList.contains('over');
    }
  }

  const showCard = (key, now, pinless) => {
    const { card, value, unit, delta, allowed, before, wasOver } = cards[key];
    const [base, bound] = [tables.totals[key], tables.bounds[key]];
    const unchanged = pinless || now === null || now === base;
    [value.textContent, unit.textContent] = unchanged ? before : amount(now, UNITS[key]);
    const unknown = now === null && !pinless;
    delta.textContent = unknown ? 'not known for these pins' : unchanged ? '' : signed(now - base, UNITS[key]);
    const over = unchanged ? wasOver : bound !== null && now > bound;
    card.classList.toggle('over', over);
    card.classList.toggle('changed', !unchanged || unknown);
    if (unchanged || bound === null) allowed.textContent = before[2];
    else {
      const rest = amount(Math.abs(bound - now), UNITS[key]).join(' ');
      allowed.textContent = `of ${amount(bound, UNITS[key]).join(' ')} allowed, ${rest} ${over ? 'too much' : 'left'}`;
    }
  };

  const longest = Number(document.querySelector('[data-longest]')?.dataset.longest);
  /** The bars of time follow; null cycles leave them as they were. */
  const showTime = (operator, width) => {
    const bits = chosen.get(operator.name);
    for (const bar of [
      document.querySelector(`[data-flame="${CSS.escape(operator.name)}"]`),
      document.querySelector(`[data-time="${CSS.escape(operator.name)}"] .track i`),
    ]) {
      if (!bar || width.cycles === null) continue;
      bar.dataset.before ??= `${bar.className}|${bar.style.cssText}`;
      [bar.className, bar.style.cssText] = bar.dataset.before.split('|');
      if (bits === operator.bits) continue;
      bar.className = `b${bits}`;
      if ('flame' in bar.dataset) bar.style.flexGrow = (100 * width.cycles) / tables.totals.cycles;
      else bar.style.width = `${(100 * width.cycles) / longest}%`;
    }
  };

  const showRow = (fieldset, operator) => {
    const row = fieldset.closest('tr');
    const width = operator.widths[chosen.get(operator.name)];
    const same = chosen.get(operator.name) === operator.bits;
    row.classList.toggle('pinned', !same);
    showTime(operator, width);
    const put = (name, text) => {
      const cell = row.querySelector(`[data-${name}]`);
      if (!cell) return;
      cell.dataset.before ??= cell.textContent;
      cell.textContent = same || text === null ? cell.dataset.before : text;
      cell.classList.toggle('stale', !same && text === null);
    };
    put('weights', grouped(width.weights));
    put('cycles', width.cycles === null ? null : grouped(width.cycles));
    put('divergence', width.divergence.toFixed(3));
    put('damage', width.damage === null ? null : nats(width.damage));
  };

  const panel = document.getElementById('pins');
  const show = () => {
    const now = totals();
    const count = tables.operators.filter((operator) => chosen.get(operator.name) !== operator.bits).length;
    for (const key of Object.keys(cards)) showCard(key, count === 0 ? tables.totals[key] : now[key], count === 0);
    panel.hidden = count === 0;
    document.body.classList.toggle('has-pins', count > 0);
    panel.querySelector('[data-count]').textContent = `${count} ${count === 1 ? 'operator' : 'operators'} changed:`;
    const parts = [];
    if (now.flash !== null) parts.push(`flash ${signed(now.flash - tables.totals.flash, 'B')}`);
    else parts.push(`weights and tables ${signed(now.constants, 'B')}`);
    if (now.sram !== null) parts.push(`SRAM ${signed(now.sram - tables.totals.sram, 'B')}`);
    if (now.latency !== null) parts.push(`latency ${signed(now.latency - tables.totals.latency, 's')}`);
    if (now.energy !== null) parts.push(`energy ${signed(now.energy - tables.totals.energy, 'J')}`);
    if (now.damage !== null) parts.push(`predicted divergence ${now.damage < 0 ? '−' : '+'}${Math.abs(now.damage).toPrecision(2)} nats`);
    panel.querySelector('[data-summary]').textContent = parts.join(' · ');
    document.documentElement.dataset.totals = JSON.stringify(now);
  };

  const fieldsets = [...document.querySelectorAll('fieldset[data-operator]')];
  for (const fieldset of fieldsets) {
    const operator = tables.operators.find((known) => known.name === fieldset.dataset.operator);
    fieldset.addEventListener('change', (event) => {
      chosen.set(operator.name, Number(event.target.value));
      showRow(fieldset, operator);
      show();
    });
  }

  const plan = () => `${JSON.stringify({ operators: Object.fromEntries(chosen), ...tables.plan }, null, 1)}\n`;

  panel.querySelector('[data-action=export]').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([plan()], { type: 'application/json' }));
    link.download = 'bits.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  panel.querySelector('[data-action=reset]').addEventListener('click', () => {
    for (const fieldset of fieldsets) {
      const operator = tables.operators.find((known) => known.name === fieldset.dataset.operator);
      chosen.set(operator.name, operator.bits);
      fieldset.querySelector(`input[value="${operator.bits}"]`).checked = true;
      showRow(fieldset, operator);
    }
    show();
    document.querySelector('fieldset[data-operator] input:checked')?.focus();
  });

  // A browser that restores a form after a reload restores pins, too.
  for (const fieldset of fieldsets) {
    const operator = tables.operators.find((known) => known.name === fieldset.dataset.operator);
    chosen.set(operator.name, Number(fieldset.querySelector('input:checked').value));
    showRow(fieldset, operator);
  }
  show();
})();
