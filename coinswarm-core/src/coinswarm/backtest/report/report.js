"use strict";
(() => {
  const L = window.LightweightCharts;
  const data = JSON.parse(document.getElementById("data").textContent);
  const NO_STANCE = 20000;
  const MARKED = 400;
  const KINDS = ["entry", "exit", "stop", "target"];
  const sums = (deltas) => { let sum = 0; return deltas.map((d) => (sum += d)); };
  const count = data.equity.length;
  if (!count) return;
  const unit = 10 ** -data.places;
  const amounts = (deltas) => sums(deltas).map((v) => v * unit);
  const equity = amounts(data.equity);
  const held = amounts(data.held);
  const drawdown = sums(data.drawdown).map((v) => -v / 100);
  const exposure = sums(data.exposure).map((v) => v / 100);
  const money = (v) => v.toLocaleString("en", { minimumFractionDigits: data.places, maximumFractionDigits: data.places });
  const moment = (t) => new Date(t * 1000).toISOString().slice(0, 16).replace("T", " ");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const PALETTE = ["--run", "--held", "--exit", "--target", "--stop", "--short", "--entry", "--soft"];
  const charts = [];
  let chosen = 0;
  let range = null;
  let moving = false;

  // The value of [place, value] changes at every place.
  const spread = (changes) => {
    const out = new Array(count).fill(0);
    changes.forEach(([place, value], n) => {
      const end = n + 1 < changes.length ? changes[n + 1][0] : count;
      out.fill(value, place, end);
    });
    return out;
  };

  const times = sums(spread(data.seconds));

  const options = () => ({
    layout: { background: { color: css("--bg") }, textColor: css("--fg"), fontSize: 12, attributionLogo: false },
    grid: { vertLines: { color: css("--line") }, horzLines: { color: css("--line") } },
    rightPriceScale: { borderColor: css("--line"), minimumWidth: 84, entireTextOnly: true },
    timeScale: { borderColor: css("--line"), timeVisible: true, secondsVisible: false, minBarSpacing: 0.0005,
      lockVisibleTimeRangeOnResize: true,
      fixLeftEdge: true, fixRightEdge: true, rightOffset: 0 },
    crosshair: { mode: L.CrosshairMode.Normal },
    handleScale: { axisPressedMouseMove: { price: true, time: true } },
    handleScroll: { vertTouchDrag: false },
    localization: { locale: "en", timeFormatter: moment },
    autoSize: true,
  });

  const make = (name, label, extra) => {
    const place = document.getElementById("chart-" + name);
    place.hidden = false;
    const legend = document.createElement("div");
    legend.className = "legend";
    const canvas = document.createElement("div");
    canvas.className = "canvas";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "group");
    canvas.setAttribute("aria-label", label + ". Arrow keys move, plus and minus zoom, Home shows all.");
    place.append(legend, canvas);
    const chart = L.createChart(canvas, options());
    chart.applyOptions(extra || {});
    const entry = { name, chart, canvas, legend, series: [], colours: () => {}, tell: () => [] };
    charts.push(entry);
    chart.timeScale().subscribeVisibleLogicalRangeChange((next) => {
      if (!next || moving) return;
      moving = true;
      range = next;
      charts.forEach((other) => { if (other !== entry) other.chart.timeScale().setVisibleLogicalRange(next); });
      moving = false;
      tell();
    });
    chart.subscribeCrosshairMove((event) => {
      const at = event.logical === undefined || event.logical === null ? last() : Math.round(event.logical);
      const index = Math.max(0, Math.min(count - 1, at));
      charts.forEach((other) => show(other, index));
    });
    canvas.addEventListener("keydown", (event) => {
      const now = chart.timeScale().getVisibleLogicalRange();
      if (!now) return;
      const width = now.to - now.from;
      const moves = { ArrowLeft: [-0.1, -0.1], ArrowRight: [0.1, 0.1], "+": [0.1, -0.1], "=": [0.1, -0.1],
        "-": [-0.1, 0.1] };
      if (event.key === "Home") look(0, count - 1);
      else if (moves[event.key]) look(now.from + moves[event.key][0] * width, now.to + moves[event.key][1] * width);
      else return;
      event.preventDefault();
    });
    return entry;
  };

  const look = (from, to) => {
    const width = Math.min(to - from, count - 1);
    const start = Math.max(0, Math.min(from, count - 1 - width));
    range = { from: start, to: start + Math.max(width, 5) };
    moving = true;
    charts.forEach((entry) => entry.chart.timeScale().setVisibleLogicalRange(range));
    moving = false;
    tell();
  };

  const last = () => Math.max(0, Math.min(count - 1, range ? Math.round(range.to) : count - 1));
  const tell = () => charts.forEach((entry) => show(entry, last()));

  const show = (entry, index) => {
    const parts = [[moment(times[index])], ...entry.tell(index)];
    entry.legend.replaceChildren(...parts.map(([words, colour]) => {
      const span = document.createElement("span");
      span.textContent = words;
      if (colour) { span.className = "key"; span.style.color = css(colour); }
      return span;
    }));
  };

  const line = (entry, values, colour, more) => {
    const series = entry.chart.addSeries(L.LineSeries, { lineWidth: 2, priceLineVisible: false, lastValueVisible: false,
      color: css(colour), ...more });
    series.setData(values.map((value, i) => ({ time: times[i], value })));
    entry.series.push([series, () => ({ color: css(colour) })]);
    return series;
  };
  const percent = { type: "custom", minMove: 0.01, formatter: (v) => v.toFixed(1) + " %" };
  const plain = { type: "custom", minMove: unit, formatter: (v) => v.toLocaleString("en", { maximumFractionDigits: data.places > 2 ? 6 : 0 }) };

  // -- equity and drawdown
  const top = make("equity", "Equity of this run and of buy-and-hold");
  top.chart.applyOptions({ layout: { attributionLogo: true } });
  line(top, held, "--held", { lineWidth: 1, priceFormat: plain });
  line(top, equity, "--run", { priceFormat: plain });
  top.tell = (i) => [["This run " + money(equity[i]) + " " + data.currency, "--run"],
    ["Buy-and-hold " + money(held[i]), "--held"]];
  const under = make("drawdown", "Drawdown");
  const area = under.chart.addSeries(L.BaselineSeries, { baseValue: { type: "price", price: 0 }, lineWidth: 1,
    priceFormat: percent, priceLineVisible: false, lastValueVisible: false });
  area.setData(drawdown.map((value, i) => ({ time: times[i], value })));
  const fill = (name) => () => ({ lineColor: css(name), topColor: css(name) + "55", bottomColor: css(name) + "22" });
  under.series.push([area, () => ({ topLineColor: css("--area"), bottomLineColor: css("--area"),
    bottomFillColor1: css("--area") + "22", bottomFillColor2: css("--area") + "66" })]);
  under.tell = (i) => [["Drawdown " + drawdown[i].toFixed(2) + " %", "--area"]];

  // -- price
  const price = make("price", "Price with fills and bracket levels");
  const candles = price.chart.addSeries(L.CandlestickSeries, { priceLineVisible: false });
  price.series.push([candles, () => ({ upColor: css("--bg"), downColor: css("--soft"), borderUpColor: css("--soft"),
    borderDownColor: css("--soft"), wickUpColor: css("--soft"), wickDownColor: css("--soft") })]);
  const markers = L.createSeriesMarkers(candles, []);
  let bars = [];
  let fillsAt = new Map();
  let levels = [];
  let dots = [];
  let near = false; // whether so few bars are seen that fills are marked by shape

  // Draws straight lines for stops and targets while they worked (the library has none that begin and end), and
  // fills as dots where their marks would lie over one another.
  const brackets = {
    attached(given) { this.chart = given.chart; this.series = given.series; },
    updateAllViews() {},
    paneViews() { return [{ zOrder: () => "normal", renderer: () => ({ draw: (target) => this.draw(target) }) }]; },
    draw(target) {
      const scale = this.chart.timeScale();
      const seen = scale.getVisibleLogicalRange();
      if (!seen) return;
      target.useBitmapCoordinateSpace((scope) => {
        const pen = scope.context;
        pen.lineWidth = Math.max(1, Math.round(scope.verticalPixelRatio * 1.5));
        levels.forEach(([first, last, kind, value]) => {
          if (last < seen.from || first > seen.to) return;
          const y = this.series.priceToCoordinate(value);
          if (y === null) return;
          const x0 = scale.logicalToCoordinate(Math.max(first, Math.floor(seen.from)));
          const x1 = Math.max(scale.logicalToCoordinate(Math.min(last, Math.ceil(seen.to))), x0 + 1);
          pen.strokeStyle = css(kind === 2 ? "--stop" : "--target");
          pen.beginPath();
          pen.moveTo(x0 * scope.horizontalPixelRatio, y * scope.verticalPixelRatio);
          pen.lineTo(x1 * scope.horizontalPixelRatio, y * scope.verticalPixelRatio);
          pen.stroke();
        });
        if (near) return;
        const dot = Math.round(3 * scope.verticalPixelRatio);
        dots.forEach(([group, kind, value]) => {
          if (group < seen.from || group > seen.to) return;
          const y = this.series.priceToCoordinate(value);
          if (y === null) return;
          pen.fillStyle = css("--" + KINDS[kind]);
          pen.fillRect(scale.logicalToCoordinate(group) * scope.horizontalPixelRatio - dot / 2,
            y * scope.verticalPixelRatio - dot / 2, dot, dot);
        });
      });
    },
  };
  candles.attachPrimitive(brackets);

  const decimals = (text) => (text.includes(".") ? text.split(".")[1].length : 0);
  const load = () => {
    const one = data.instruments[chosen];
    const tick = Number(one.tick);
    const close = sums(one.close);
    const groups = one.groups ? sums(one.groups) : close.map((_, i) => i);
    const at = (v) => Number((v * tick).toFixed(one.decimals));
    bars = times.map((time) => ({ time }));
    groups.forEach((g, i) => {
      bars[g] = { time: times[g], open: at(close[i] + one.open[i]), high: at(close[i] + one.high[i]),
        low: at(close[i] - one.low[i]), close: at(close[i]) };
    });
    candles.applyOptions({ priceFormat: { type: "price", precision: one.decimals, minMove: tick } });
    candles.setData(bars);
    levels = one.levels.map(([first, last, kind, value]) => [first, last, kind, at(value)]);
    dots = one.fills.map(([group, , kind, value]) => [group, kind, at(value)]);
    fillsAt = new Map();
    one.fills.forEach(([group, side, kind, value, lots, order]) => {
      const words = `${KINDS[kind]} ${side > 0 ? "buy" : "sell"} ${(lots * Number(one.lot)).toFixed(decimals(one.lot))}` +
        ` at ${at(value).toFixed(one.decimals)} (order ${order})`;
      if (!fillsAt.has(group)) fillsAt.set(group, []);
      fillsAt.get(group).push([words, "--" + KINDS[kind]]);
    });
    mark();
  };
  const mark = () => {
    markers.setMarkers(!near ? [] : data.instruments[chosen].fills.map(([group, side, kind]) => ({
      time: times[group],
      position: side > 0 ? "belowBar" : "aboveBar",
      shape: kind === 0 ? (side > 0 ? "arrowUp" : "arrowDown") : kind === 1 ? "circle" : "square",
      color: css("--" + KINDS[kind]),
      size: 1,
    })));
  };
  price.chart.timeScale().subscribeVisibleLogicalRangeChange((seen) => {
    const now = Boolean(seen) && seen.to - seen.from <= MARKED;
    if (now === near) return;
    near = now;
    mark();
  });
  price.tell = (i) => {
    const bar = bars[i];
    const one = data.instruments[chosen];
    const head = bar && bar.open !== undefined
      ? `${one.symbol} O ${bar.open.toFixed(one.decimals)} H ${bar.high.toFixed(one.decimals)} ` +
        `L ${bar.low.toFixed(one.decimals)} C ${bar.close.toFixed(one.decimals)}`
      : `${one.symbol}: no bar`;
    const done = fillsAt.get(i) || KINDS.map((kind) => [kind, "--" + kind]);
    return [[head], ...done];
  };

  // -- stances: a row per agent and one for the position
  const stances = make("stances", "Stance of each agent, and the position");
  const rowNames = [...data.seats, "position"];
  const ROW = 30;
  stances.canvas.style.height = `${Math.min(rowNames.length, 20) * ROW + 34}px`;
  const empty = { type: "custom", minMove: 1, formatter: () => "" };
  const base = line(stances, times.map(() => 0), "--bg", { crosshairMarkerVisible: false, priceFormat: empty, lineVisible: false });
  stances.chart.applyOptions({ grid: { horzLines: { visible: false } }, crosshair: { horzLine: { visible: false, labelVisible: false } } });
  let rows = [];
  const words = (v) => (v === null ? "not kept" : v === NO_STANCE ? "abstains" : v === 0 ? "flat"
    : `${v > 0 ? "long" : "short"} ${(Math.abs(v) / 100).toFixed(0)} %`);
  const band = {
    attached(given) { this.chart = given.chart; },
    updateAllViews() {},
    paneViews() { return [{ zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) }]; },
    draw(target) {
      const scale = this.chart.timeScale();
      const seen = scale.getVisibleLogicalRange();
      if (!seen) return;
      target.useBitmapCoordinateSpace((scope) => {
        const pen = scope.context;
        const height = scope.bitmapSize.height / rowNames.length;
        rows.forEach((changes, row) => {
          const y = row * height;
          (changes || []).forEach(([first, value], n) => {
            const last = n + 1 < changes.length ? changes[n + 1][0] : count;
            if (last < seen.from || first > seen.to || value === 0) return;
            const x0 = scale.logicalToCoordinate(Math.max(first, Math.floor(seen.from))) * scope.horizontalPixelRatio;
            const x1 = scale.logicalToCoordinate(Math.min(last, Math.ceil(seen.to) + 1)) * scope.horizontalPixelRatio;
            const none = value === NO_STANCE;
            pen.globalAlpha = none ? 0.18 : 0.35 + 0.65 * Math.min(1, Math.abs(value) / 10000);
            pen.fillStyle = css(none ? "--soft" : value > 0 ? "--long" : "--short");
            const top = value > 0 && !none ? y + height * 0.12 : none ? y + height * 0.44 : y + height * 0.5;
            pen.fillRect(x0, top, Math.max(x1 - x0, 1), none ? height * 0.12 : height * 0.38);
          });
          pen.globalAlpha = 1;
          pen.fillStyle = css("--line");
          pen.fillRect(0, Math.round(y), scope.bitmapSize.width, 1);
          pen.font = `${Math.round(11 * scope.verticalPixelRatio)}px system-ui, sans-serif`;
          pen.textBaseline = "middle";
          const name = rowNames[row] + (changes ? "" : " (not kept)");
          const wide = pen.measureText(name).width + 10 * scope.horizontalPixelRatio;
          pen.globalAlpha = 0.85;
          pen.fillStyle = css("--bg");
          pen.fillRect(0, y + height * 0.2, wide, height * 0.6);
          pen.globalAlpha = 1;
          pen.fillStyle = css("--fg");
          pen.fillText(name, 5 * scope.horizontalPixelRatio, y + height / 2);
        });
      });
    },
  };
  base.attachPrimitive(band);
  let resolved = [];
  const seat = () => {
    const one = data.instruments[chosen];
    rows = [...one.stances, one.position.map(([place, sign]) => [place, sign * 10000])];
    resolved = rows.map((changes) => (changes ? spread(changes) : null));
    base.applyOptions({ color: css("--bg") });
  };
  stances.tell = (i) => rowNames.map((name, row) => {
    const value = resolved[row] ? resolved[row][i] : null;
    return [`${name}: ${row < data.seats.length ? words(value) : words(value).split(" ")[0]}`, value === null || value === 0 || value === NO_STANCE ? "--soft"
      : value > 0 ? "--long" : "--short"];
  });

  // -- exposure and contribution
  const exposed = make("exposure", "Gross exposure as a share of equity");
  const steps = exposed.chart.addSeries(L.AreaSeries, { lineWidth: 1, lineType: L.LineType.WithSteps,
    priceFormat: percent, priceLineVisible: false, lastValueVisible: false });
  steps.setData(exposure.map((value, i) => ({ time: times[i], value })));
  exposed.series.push([steps, fill("--run")]);
  exposed.chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.1, bottom: 0 } });
  exposed.tell = (i) => [["Exposure " + exposure[i].toFixed(2) + " % of equity", "--run"]];
  const gained = make("contribution", "Attributed profit of each agent");
  const shown = data.contribution.map((changes, n) => [changes.length ? spread(changes).map((v) => v * unit) : null, n])
    .filter(([values]) => values);
  shown.forEach(([values, n], place) => line(gained, values, PALETTE[place % PALETTE.length],
    { lineType: L.LineType.WithSteps, lineStyle: place < PALETTE.length ? 0 : 2, priceFormat: plain }));
  gained.tell = (i) => shown.map(([values, n], place) => [`${data.seats[n]} ${money(values[i])}`, PALETTE[place % PALETTE.length]]);

  // -- controls
  const colour = () => {
    charts.forEach((entry) => {
      entry.chart.applyOptions({ ...options(), layout: { ...options().layout, attributionLogo: entry === top } });
      entry.series.forEach(([series, paint]) => series.applyOptions(paint()));
      show(entry, last());
    });
    mark();
  };
  const refresh = () => { load(); seat(); tell(); };
  const select = document.getElementById("instrument");
  select.addEventListener("change", () => { const kept = range; chosen = Number(select.value); refresh(); if (kept) look(kept.from, kept.to); });
  if (data.instruments.length < 2) select.parentElement.hidden = true;
  const spans = [...document.querySelectorAll("#controls [data-days]")];
  const press = (button) => spans.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  spans.forEach((button) => button.addEventListener("click", () => {
    press(button);
    if (button.dataset.days === "all") { look(0, count - 1); return; }
    const middle = range ? Math.round((range.from + range.to) / 2) : count - 1;
    const end = Math.max(0, Math.min(count - 1, button.dataset.days && range && range.to < count - 2 ? middle : count - 1));
    const from = times[end] - Number(button.dataset.days) * 86400;
    let first = times.findIndex((time) => time >= from);
    if (first < 0) first = 0;
    look(first, end);
  }));
  const log = document.getElementById("log");
  const high = Math.max(...[equity, held].map((v) => v.reduce((a, b) => Math.max(a, b), -Infinity)));
  const low = Math.min(...[equity, held].map((v) => v.reduce((a, b) => Math.min(a, b), Infinity)));
  const scaled = (on) => {
    log.setAttribute("aria-pressed", String(on));
    const mode = on ? L.PriceScaleMode.Logarithmic : L.PriceScaleMode.Normal;
    [top, price].forEach((entry) => entry.chart.priceScale("right").applyOptions({ mode }));
  };
  log.addEventListener("click", () => scaled(log.getAttribute("aria-pressed") !== "true"));
  document.querySelectorAll("button.show").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = data.instruments.findIndex((one) => one.symbol === button.dataset.instrument);
      select.value = String(chosen);
      refresh();
      const group = (text) => { const t = Date.parse(text) / 1000; const i = times.findIndex((time) => time > t); return (i < 0 ? count : i) - 1; };
      const [from, to] = [group(button.dataset.from), group(button.dataset.to)];
      const room = Math.max(20, (to - from) * 2);
      press(null);
      look(from - room, to + room);
      document.getElementById("price").scrollIntoView();
      price.canvas.focus({ preventScroll: true });
    });
  });
  document.querySelectorAll(".sketch").forEach((still) => { still.hidden = true; });
  document.getElementById("controls").hidden = false;
  refresh();
  colour();
  scaled(low > 0 && high / low >= 3);
  press(spans[0]);
  look(0, count - 1);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  document.documentElement.dataset.ready = "yes";
})();
