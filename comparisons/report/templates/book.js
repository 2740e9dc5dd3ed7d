// A stage of the book: each step shows one moment of its recording at a time.
//
// The recordings lie in the page as JSON, a list of takes for each step: `frames`, which moments of the two
// engines stand beside each other, and the moments (see comparisons/report/book/page.py). All that is drawn is
// in the page already; this script sets classes and texts.
"use strict";

(function () {
  const recording = JSON.parse(document.getElementById("recording").textContent);
  const spoken = document.getElementById("spoken");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const PACE = 800; // milliseconds that a moment stands
  const [LINE, BOX, BACK, STANDS, PRINTED, DRAWN, UNSEEN, VALUES, GRADS, GONE] = Array(10).keys();

  const all = (root, selector) => Array.from(root.querySelectorAll(selector));

  class Side {
    constructor(root, moments) {
      this.moments = moments;
      this.lines = all(root, ".panel .line, .line").filter((line) => line.closest(".panel"));
      this.graph = root.querySelector(".graph");
      this.boxes = all(root, ".graph g");
      this.edges = all(root, ".edge").map((edge) => [edge, edge.dataset.e.split(" ").map(Number)]);
      this.out = root.querySelector(".out");
      this.text = this.out.textContent;
      this.figures = all(root, "figure");
      this.many = root.querySelector(".many");
      this.unseen = root.querySelector(".unseen-ops");
      this.given = this.boxes.map((box) => box.querySelector(".v").textContent);
      this.types = this.boxes.map((box, i) => box.querySelector(".v").dataset.s || this.given[i]);
      const ever = new Set(moments.flatMap((moment) => moment[VALUES].map(([box]) => box)));
      this.fixed = this.given.map((value, i) => (ever.has(i) ? null : value));
      let gone = [];
      this.gone = moments.map((moment) => (gone = moment[GONE] || gone));
    }

    // What each box has, and which gradients have arrived, by moment `at`.
    state(at) {
      const values = new Map();
      const grads = new Map();
      for (const moment of this.moments.slice(0, at + 1)) {
        moment[VALUES].forEach(([box, value]) => values.set(box, value));
        moment[GRADS].forEach(([box, value]) => grads.set(box, value));
      }
      return { values, grads };
    }

    show(at) {
      const moment = this.moments[at];
      const { values, grads } = this.state(at);
      const gone = new Set(this.gone[at]);
      this.lines.forEach((line, i) => line.classList.toggle("at", i + 1 === moment[LINE]));
      this.boxes.forEach((box, i) => {
        box.classList.toggle("coming", i >= moment[STANDS]);
        box.classList.toggle("gone", gone.has(i));
        box.classList.toggle("now", i === moment[BOX]);
        box.classList.toggle("valued", values.has(i));
        this.fill(box, values.get(i) || this.fixed[i] || this.types[i], grads.get(i));
      });
      for (const [edge, [from, to]] of this.edges) {
        edge.classList.toggle("coming", from >= moment[STANDS] || to >= moment[STANDS]);
        edge.classList.toggle("flows", to === moment[BOX]);
      }
      const stand = moment[STANDS] - gone.size;
      this.many.textContent = stand + (stand === 1 ? " box stands" : " boxes stand");
      this.out.textContent = this.text.slice(0, moment[PRINTED]);
      this.figures.forEach((figure, i) => figure.classList.toggle("coming", i >= moment[DRAWN]));
      this.unseen.textContent = moment[UNSEEN] ? "and " + moment[UNSEEN].toLocaleString("en") + " ops not drawn" : "";
      this.reveal(this.boxes[moment[BOX]]);
    }

    // A box's second line: what it has, or its type, and the gradient that arrived.
    fill(box, text, gradient) {
      const line = box.querySelector(".v");
      line.textContent = text;
      if (gradient === undefined) return;
      const mark = document.createElementNS(box.namespaceURI, "tspan");
      mark.setAttribute("class", "nabla");
      mark.textContent = " ∇ " + gradient;
      line.append(mark);
    }

    // Scroll within the graph, and only there, until the box is well inside.
    reveal(box) {
      if (!box) return;
      const outer = this.graph.getBoundingClientRect();
      const inner = box.getBoundingClientRect();
      if (inner.top < outer.top || inner.bottom > outer.bottom) this.graph.scrollTop += inner.top - outer.top - outer.height / 2;
      if (inner.left < outer.left || inner.right > outer.right) this.graph.scrollLeft += inner.left - outer.left - outer.width / 2;
    }

    said(at) {
      const [line, box] = this.moments[at];
      const value = this.state(at).values.get(box);
      const title = box === null ? "" : ", " + this.boxes[box].querySelector("text:not(.nabla)").textContent;
      return "line " + line + title + (value ? " gives " + value : "");
    }
  }

  class Step {
    constructor(root) {
      this.root = root;
      this.takes = all(root, ".take");
      this.data = recording[root.id];
      this.sides = this.takes.map((take, i) =>
        all(take, ".panel").map((panel) => new Side(panel, this.data[i][panel.classList[1]])));
      this.player = root.querySelector(".player");
      this.scrubber = this.player.querySelector("input");
      this.where = this.player.querySelector(".where");
      this.timer = null;
      this.choose(0);
      all(root, ".menu input").forEach((input) => input.addEventListener("change", () => this.choose(Number(input.value))));
      all(this.player, "button").forEach((b) => b.addEventListener("click", () => this.does(b.dataset.go)));
      this.scrubber.addEventListener("input", () => this.go(Number(this.scrubber.value) - 1));
      root.addEventListener("keydown", (event) => this.key(event));
      this.takes.forEach((take, i) => this.watchLines(take, i));
    }

    get frames() { return this.data[this.take].frames; }
    get last() { return this.frames.length - 1; }

    choose(take) {
      this.take = take;
      this.takes.forEach((one, i) => {
        one.classList.toggle("chosen", i === take);
        one.classList.toggle("left", i !== take);
      });
      this.scrubber.max = this.frames.length;
      this.go(this.last);
    }

    // A click on a line leads to the next moment that is about it.
    watchLines(take, number) {
      this.sides[number].forEach((side, s) => side.lines.forEach((line, i) => line.addEventListener("click", () => {
        for (let on = 1; on <= this.frames.length; on += 1) {
          const at = (this.at + on) % this.frames.length;
          if (side.moments[this.frames[at][s]][LINE] === i + 1) return this.go(at);
        }
        return undefined;
      })));
    }

    go(at) {
      this.pause();
      this.show(at);
      if (document.body.classList.contains("plays")) this.tell();
    }

    show(at) {
      const before = Math.min(this.at ?? this.last, this.last);
      this.at = Math.min(Math.max(at, 0), this.last);
      const frame = this.frames[this.at];
      this.sides[this.take].forEach((side, i) => side.show(frame[i]));
      this.scrubber.value = this.at + 1;
      this.where.textContent = (frame[2] ? "same bits · " : "") + (this.at + 1) + " of " + (this.last + 1);
      this.where.classList.toggle("same", frame[2] > 0);
      this.scrubber.setAttribute("aria-valuetext", this.words());
      this.button("back").disabled = this.at === 0;
      this.button("on").disabled = this.at === this.last;
      this.forward(before);
    }

    // On a narrow page one panel is seen whole: if one side alone has moved, it is that one.
    forward(before) {
      const panels = this.takes[this.take].querySelector(".diptych");
      if (panels.scrollWidth <= panels.clientWidth + 1) return;
      const moved = [0, 1].filter((side) => this.frames[before][side] !== this.frames[this.at][side]);
      if (moved.length !== 1) return;
      const [first, panel] = [0, moved[0]].map((side) => panels.querySelectorAll(".panel")[side]);
      panels.scrollTo({ left: panel.offsetLeft - first.offsetLeft, behavior: calm.matches ? "auto" : "smooth" });
    }

    words() {
      const frame = this.frames[this.at];
      const [a, b] = this.sides[this.take].map((side, i) => side.said(frame[i]));
      return "Moment " + (this.at + 1) + " of " + (this.last + 1) + ". dynamic, " + a + ". static, " + b + ".";
    }

    tell() { spoken.textContent = this.words(); }
    button(name) { return this.player.querySelector('[data-go="' + name + '"]'); }

    does(name) {
      if (name === "back") this.go(this.at - 1);
      else if (name === "on") this.go(this.at + 1);
      else if (this.timer === null) this.play();
      else { this.pause(); this.tell(); }
    }

    play() {
      steps.forEach((step) => step.pause());
      this.show(this.at === this.last ? 0 : this.at + 1);
      this.playing("Pause", "❚❚");
      const tick = () => {
        this.show(this.at + 1);
        if (this.at === this.last) { this.pause(); this.tell(); }
        else this.timer = setTimeout(tick, PACE);
      };
      this.timer = setTimeout(tick, PACE);
    }

    pause() {
      clearTimeout(this.timer);
      this.timer = null;
      this.playing("Play", "▶");
    }

    playing(label, sign) {
      const play = this.button("play");
      play.setAttribute("aria-label", label);
      play.firstElementChild.textContent = sign;
    }

    key(event) {
      const name = { ArrowLeft: "back", ArrowRight: "on", " ": "play" }[event.key];
      if (!name || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.target.closest("input, a") || (event.key === " " && event.target.closest("button"))) return;
      if (event.key !== " " && event.target.scrollWidth > event.target.clientWidth && event.target.closest(".code, .graph, .out")) return;
      event.preventDefault();
      this.does(name);
    }
  }

  const steps = all(document, ".step").map((root) => new Step(root));
  document.body.classList.add("plays");
})();
