// The stepper: shows one moment of the recording at a time.
//
// The recording lies in the page as JSON: `frames`, what stands side by side, and for each engine
// `moments`. All that is drawn is in the page already; this script sets classes, texts and one
// length (--at, how far along we are), and remembers the moment in the address.
"use strict";

(function () {
  const recording = JSON.parse(document.getElementById("recording").textContent);
  const frames = recording.frames;
  const last = frames.length - 1;
  const stage = document.getElementById("stage");
  const scrubber = document.getElementById("scrubber");
  const playButton = document.getElementById("play");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const PACE = { describe: 260, prepare: 700, compile: 1100 }; // milliseconds that a frame stands
  const UNHURRIED = 950;

  let at = 0;
  let timer = null;

  // --- one engine's panel ---

  class Panel {
    constructor(engine) {
      this.engine = engine;
      this.moments = recording.moments[engine];
      this.root = document.getElementById(engine);
      this.graph = this.root.querySelector(".graph");
      this.sources = this.root.querySelector(".sources");
      this.boxes = new Map(all(this.root, "[data-box]").map((box) => [box.dataset.box, box]));
      this.edges = all(this.root, ".edge");
      this.lists = { line: lines(engine + "-script"), program: lines(engine + "-program") };
      this.watchClicks();
    }

    moment(frame) {
      return this.moments[frames[frame][this.engine]];
    }

    show(frame) {
      const moment = this.moment(frame);
      this.root.querySelector(".says").innerHTML = frames[frame].says[this.engine];
      this.root.querySelector(".nodes-now").textContent = moment.nodes;
      this.root.querySelector(".bytes-now").textContent = moment.bytes;
      this.showGraph(moment);
      this.showSources(moment);
      this.showValues(moment);
    }

    showGraph(moment) {
      const stands = new Set(moment.stands);
      const sets = {
        stands,
        gone: new Set(moment.gone),
        holds: new Set(moment.holds),
        grads: new Set(moment.grads),
        now: new Set([moment.now]),
      };
      for (const [id, box] of this.boxes) {
        for (const name in sets) box.classList.toggle(name, sets[name].has(id));
      }
      for (const edge of this.edges) {
        const { from, to } = edge.dataset;
        const flows = to === moment.now;
        edge.classList.toggle("stands", stands.has(from) && stands.has(to));
        edge.classList.toggle("flows", flows && stands.has(to));
        // a gradient goes against the arrow of the value that it belongs to
        const back = flows && moment.back;
        setAttribute(edge, "marker-end", back ? "none" : "url(#" + this.engine + "-tip)");
        setAttribute(edge, "marker-start", back ? "url(#" + this.engine + "-back)" : "none");
      }
      this.graph.classList.toggle("bare", stands.size === 0);
      const box = this.boxes.get(moment.now);
      if (box) reveal(this.graph, box);
    }

    showSources(moment) {
      this.sources.classList.toggle("runs", moment.program !== null);
      for (const kind of ["line", "program"]) {
        for (const [number, line] of this.lists[kind]) {
          const current = number === moment[kind];
          line.classList.toggle("at", current);
          if (current) line.setAttribute("aria-current", "step");
          else line.removeAttribute("aria-current");
        }
        const line = this.lists[kind].get(moment[kind]);
        if (line) reveal(line.closest(".code"), line);
      }
    }

    showValues(moment) {
      const items = moment.values.map(([name, type, isNew]) => chip(name, type, isNew ? "new" : ""));
      items.push(...moment.freed.map(([name, type]) => chip(name, type, "freed")));
      this.root.querySelector(".values").replaceChildren(...items);
    }

    // What stands on paper for a moment: the sentence, the counts and a copy of the graph.
    still(frame) {
      const moment = this.moment(frame);
      this.showGraph(moment);
      const made = document.createElement("div");
      made.className = "graph-still " + this.engine;
      const says = document.createElement("p");
      says.innerHTML = frames[frame].says[this.engine];
      const counts = document.createElement("b");
      counts.textContent = moment.nodes + ", " + moment.bytes;
      const graph = this.graph.querySelector("svg").cloneNode(true);
      graph.innerHTML = graph.innerHTML.replaceAll(this.engine + "-", this.engine + "-" + frame + "-");
      made.append(says, counts, graph);
      return made;
    }

    // A click on a box or a line leads to the next moment that is about it, and round again.
    watchClicks() {
      for (const kind of ["line", "program"]) {
        for (const [number, line] of this.lists[kind]) {
          if (!this.moments.some((moment) => moment[kind] === number)) continue;
          line.classList.add("has");
          line.addEventListener("click", () => this.seek((moment) => moment[kind] === number));
        }
      }
      for (const [id, box] of this.boxes) {
        box.addEventListener("click", () =>
          this.seek((moment, before) =>
            moment.now === id || (before && !before.stands.includes(id) && moment.stands.includes(id))));
      }
      const curve = this.root.querySelector(".curve");
      curve.addEventListener("click", (event) => {
        const place = curve.getBoundingClientRect();
        go(Math.floor(((event.clientX - place.left) / place.width) * frames.length));
      });
    }

    seek(isIt) {
      for (let step = 1; step <= frames.length; step += 1) {
        const frame = (at + step) % frames.length;
        const before = frame ? this.moment(frame - 1) : null;
        if (this.moment(frame) !== before && isIt(this.moment(frame), before)) return go(frame);
      }
      return undefined;
    }
  }

  // --- small helpers ---

  function all(root, selector) {
    return Array.from(root.querySelectorAll(selector));
  }

  function lines(id) {
    const listing = document.getElementById(id);
    const found = listing ? all(listing, "[data-line]") : [];
    return new Map(found.map((line) => [Number(line.dataset.line), line]));
  }

  function setAttribute(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  function chip(name, type, mark) {
    const item = document.createElement("li");
    const bold = document.createElement("b");
    bold.textContent = name;
    item.append(bold, " " + type);
    if (mark) item.className = mark;
    if (mark === "freed") item.setAttribute("aria-label", name + " " + type + ", freed");
    return item;
  }

  // Scroll within `frame`, and only there, until `target` is well inside it.
  function reveal(frame, target) {
    const outer = frame.getBoundingClientRect();
    const inner = target.getBoundingClientRect();
    const offset = (low, high, start, end, room) =>
      low < start + room || high > end - room ? (low + high) / 2 - (start + end) / 2 : 0;
    const left = offset(inner.left, inner.right, outer.left, outer.right, 12);
    const top = offset(inner.top, inner.bottom, outer.top, outer.bottom, 8);
    const sideways = frame.scrollWidth > frame.clientWidth && frame.classList.contains("graph") ? left : 0;
    if (sideways || top) frame.scrollBy({ left: sideways, top, behavior: motion() });
  }

  function motion() {
    return calm.matches || !document.body.classList.contains("moves") ? "auto" : "smooth";
  }

  // --- going from moment to moment ---

  const panels = ["dynamic", "static"].map((engine) => new Panel(engine));
  const stages = all(document, ".stage");

  function show(frame) {
    at = Math.min(Math.max(frame, 0), last);
    const { phase, same } = frames[at];
    panels.forEach((panel) => panel.show(at));
    stage.style.setProperty("--at", (100 * (at + 1)) / frames.length + "%");
    scrubber.value = String(at + 1);
    document.getElementById("number").textContent = String(at + 1);
    document.getElementById("phase").textContent = phase;
    document.getElementById("same").textContent = same;
    stages.forEach((button, i) => {
      const next = stages[i + 1];
      const here = at >= Number(button.dataset.start) && (!next || at < Number(next.dataset.start));
      button.classList.toggle("at", here);
      if (here) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    const words = panels.map((panel) => panel.engine + ": " + panel.root.querySelector(".says").textContent);
    const spoken = ["Moment " + (at + 1) + " of " + frames.length, phase, ...words].join(". ");
    scrubber.setAttribute("aria-valuetext", spoken);
    for (const name of ["first", "back"]) button(name).disabled = at === 0;
    for (const name of ["on", "last"]) button(name).disabled = at === last;
    if (timer === null) {
      document.getElementById("spoken").textContent = spoken;
      history.replaceState(null, "", "#moment-" + (at + 1));
    }
    bringForward();
  }

  // On a narrow page only one panel is seen whole: if one side alone does something at this moment,
  // it is that one.
  function bringForward() {
    const leaves = document.getElementById("panels");
    if (leaves.scrollWidth <= leaves.clientWidth + 1) return;
    const before = Math.max(at - 1, 0);
    const moved = panels.filter((panel) => panel.moment(before) !== panel.moment(at));
    if (moved.length !== 1) return;
    const left = moved[0].root.offsetLeft - panels[0].root.offsetLeft;
    leaves.scrollTo({ left, behavior: motion() });
  }

  function button(name) {
    return document.querySelector('[data-go="' + name + '"]');
  }

  function go(frame) {
    pause();
    show(frame);
  }

  function play() {
    if (at === last) show(0);
    setPlaying(true);
    const tick = () => {
      show(at + 1);
      if (at === last) pause();
      else timer = setTimeout(tick, PACE[frames[at].phase] || UNHURRIED);
    };
    timer = setTimeout(tick, 250);
  }

  function pause() {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    setPlaying(false);
    show(at); // now said aloud, and put in the address
  }

  function setPlaying(on) {
    playButton.setAttribute("aria-pressed", String(on));
    playButton.setAttribute("aria-label", on ? "Pause" : "Play");
    playButton.firstElementChild.textContent = on ? "❚❚" : "▶";
  }

  const ACTIONS = {
    first: () => go(0),
    back: () => go(at - 1),
    play: () => (timer === null ? play() : pause()),
    on: () => go(at + 1),
    last: () => go(last),
  };
  const KEYS = { Home: "first", ArrowLeft: "back", " ": "play", ArrowRight: "on", End: "last" };

  const FIELDS = "select, textarea, [contenteditable], input:not([type=range])";

  all(document, "[data-go]").forEach((b) => b.addEventListener("click", ACTIONS[b.dataset.go]));
  stages.forEach((b) => b.addEventListener("click", () => go(Number(b.dataset.start))));
  scrubber.addEventListener("input", () => go(Number(scrubber.value) - 1));
  document.addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    if (!name || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // The scrubber moves by its own keys, and a field needs its space; a button is pressed by Enter.
    const own = event.key === " " ? event.target.closest(FIELDS) : event.target === scrubber;
    if (own) return;
    event.preventDefault();
    if (!event.repeat || event.key !== " ") ACTIONS[name]();
  });
  document.addEventListener("keyup", (event) => { // or some browsers press a button by it
    if (event.key === " " && !event.target.closest(FIELDS)) event.preventDefault();
  });

  function fromAddress() {
    const found = /^#moment-(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) - 1 : recording.opens;
  }

  // --- on paper ---

  // A strip of moments, made when it is asked for: each graph as it stands there, and what is said of it.
  function makeStrip() {
    const strip = document.querySelector(".strip");
    if (strip.children.length) return;
    for (const frame of recording.strip) {
      const item = document.createElement("li");
      const title = document.createElement("h3");
      title.textContent = "Moment " + (frame + 1) + " of " + frames.length + ": " + frames[frame].phase;
      item.append(title, ...panels.map((panel) => panel.still(frame)));
      strip.append(item);
    }
    panels.forEach((panel) => panel.showGraph(panel.moment(at)));
  }

  window.addEventListener("beforeprint", makeStrip);
  window.matchMedia("print").addEventListener("change", makeStrip);

  window.addEventListener("hashchange", () => {
    go(fromAddress());
    stage.scrollIntoView({ behavior: motion() });
  });
  document.body.classList.add("plays");
  show(fromAddress());
  requestAnimationFrame(() => requestAnimationFrame(() => document.body.classList.add("moves")));
})();
