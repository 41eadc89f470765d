/* <chula-cartpole config='{"physics": {...}, "policy": {...}}'>: the course's
 * environment, playable. The page emits the constants and the trained weights from
 * chula_rl; tests compare the dynamics and the policy with the Python ones. */

const SPEEDS = [0.1, 0.3, 1];
const HTML = `
<style>
  :host { display: block; margin: 1.5rem auto; max-width: 44rem;
    color: var(--pst-color-text-base); font-size: 0.9rem; }
  .stage { display: block; box-sizing: border-box; width: 100%; border: 1px solid var(--pst-color-border);
    border-radius: 0.4rem; background: var(--pst-color-surface); }
  .stage:focus-visible, :is(button, input, select):focus-visible {
    outline: 3px solid var(--pst-color-link); outline-offset: 2px; }
  .track, .bound { stroke: var(--pst-color-text-muted); stroke-width: 0.02; }
  .limit { fill: var(--pst-color-text-muted); opacity: 0.15; }
  .cart { fill: var(--pst-color-primary); }
  .pole { stroke: var(--pst-color-secondary); stroke-width: 0.07;
    stroke-linecap: round; }
  .joint { fill: var(--pst-color-text-base); }
  .push { stroke: var(--pst-color-text-base); stroke-width: 0.05; }
  .row { display: flex; flex-wrap: wrap; align-items: center;
    gap: 0.5rem 1rem; margin-top: 0.6rem; }
  .row > label { display: flex; align-items: center; gap: 0.4rem; min-height: 2rem; }
  .grow { flex: 1 1 14rem; } .grow input { flex: 1; min-width: 0; }
  input { accent-color: var(--pst-color-primary); }
  button, select { font: inherit; color: inherit; min-height: 2.2rem;
    padding: 0 0.9rem; border: 1px solid var(--pst-color-text-muted);
    border-radius: 0.3rem; background: var(--pst-color-background); cursor: pointer; }
  output { font-variant-numeric: tabular-nums; margin-left: auto; }
  .status { min-height: 1.5em; margin: 0.5rem 0 0; color: var(--pst-color-text-muted); }
</style>
<svg class="stage" tabindex="0" role="application" viewBox="-2.8 -1.45 5.6 1.75"
  aria-label="Cart-pole. Hold the left or right arrow key to push the cart; space starts and pauses; R resets.">
  <line class="track" x1="-2.8" x2="2.8" />
  <line class="bound" id="left" y1="-0.2" y2="0.2" />
  <line class="bound" id="right" y1="-0.2" y2="0.2" />
  <g id="body">
    <path class="limit" id="limit" />
    <rect class="cart" x="-0.3" y="-0.3" width="0.6" height="0.3" rx="0.04" />
    <line class="pole" id="pole" />
    <circle class="joint" cy="-0.3" r="0.04" />
    <line class="push" id="push" y1="0.12" y2="0.12" />
  </g>
</svg>
<div class="row">
  <label class="grow">Push
    <input id="slider" type="range" min="-1" max="1" step="0.01" value="0">
  </label>
  <output id="score"></output>
</div>
<div class="row">
  <button id="play" type="button">Start</button>
  <button id="reset" type="button">Reset</button>
  <label>Speed <select id="speed">${SPEEDS.map((s) => `<option>${s}</option>`).join("")}
  </select></label>
  <label><input id="auto" type="checkbox"> Let the trained policy play</label>
</div>
<p class="status" id="status" role="status"></p>`;

class ChulaCartpole extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const { physics, policy } = JSON.parse(this.getAttribute("config"));
    Object.assign(this, { physics, policy, best: 0, keyPush: 0 });
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = HTML;
    this.parts = {};
    for (const node of root.querySelectorAll("[id]")) this.parts[node.id] = node;
    this.stage = root.querySelector(".stage");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.parts.speed.value = still ? SPEEDS[0] : SPEEDS[1];
    this.drawBounds();
    this.listen();
    this.reset();
  }

  disconnectedCallback() {
    this.running = false;
  }

  listen() {
    const { play, reset, slider, auto } = this.parts;
    play.onclick = () => (this.running ? this.pause() : this.start());
    reset.onclick = () => this.reset();
    auto.onchange = () => auto.checked && this.start();
    slider.oninput = () => this.start();
    slider.onpointerup = slider.onpointercancel = () => (slider.value = 0);
    this.stage.onkeydown = (event) => this.onKey(event, true);
    this.stage.onkeyup = (event) => this.onKey(event, false);
    this.stage.onblur = () => (this.keyPush = 0);
  }

  onKey(event, down) {
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (side) {
      if (down && !event.repeat) this.start();
      if (down) this.keyPush = side * this.physics.keyAction;
      else if (this.keyPush * side > 0) this.keyPush = 0;
    } else if (event.key === " ") {
      if (down && !event.repeat) this.parts.play.click();
    } else if (event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) {
      if (down) this.reset();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Start an episode from `state`, or from a random one. */
  reset(state) {
    const bound = this.physics.startBound;
    const random = () => bound * (2 * Math.random() - 1);
    this.state = state ?? [random(), random(), random(), random()];
    this.steps = 0;
    this.over = false;
    this.parts.slider.value = this.keyPush = 0;
    this.pause("Hold an arrow key or drag the slider to push the cart.");
    this.draw(0);
  }

  start() {
    if (this.over) this.reset();
    if (this.running) return;
    this.running = true;
    this.parts.play.textContent = "Pause";
    this.parts.status.textContent = "";
    this.clock = 0; // simulated seconds that are due
    let last = performance.now();
    const frame = (now) => {
      if (!this.running) return;
      const speed = Number(this.parts.speed.value);
      this.clock += Math.min((now - last) / 1000, 0.1) * speed;
      last = now;
      for (; this.running && this.clock > 0; this.clock -= this.physics.timeStep) {
        this.step(this.action());
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause(message = "Paused.") {
    this.running = false;
    this.parts.play.textContent = this.over ? "Again" : "Start";
    this.parts.status.textContent = message;
  }

  /** What is due now: the reader's push, on top of the policy's action if it plays. */
  action() {
    const push = this.keyPush + Number(this.parts.slider.value);
    return push + (this.parts.auto.checked ? this.act(this.state) : 0);
  }

  /** The policy's mean action: tanh layers and a linear output. */
  act(obs) {
    const { obsScale, layers } = this.policy;
    let x = obs.map((value, i) => value / obsScale[i]);
    layers.forEach(({ weight, bias }, i) => {
      const last = i === layers.length - 1;
      x = weight.map((row, j) => {
        const sum = row.reduce((total, w, k) => total + w * x[k], bias[j]);
        return last ? sum : Math.tanh(sum);
      });
    });
    return x[0];
  }

  /** One Euler step; the equations are those of chula_rl.envs.cartpole_step. */
  step(action) {
    const p = this.physics;
    const [x, xDot, theta, thetaDot] = this.state;
    const clipped = Math.max(-1, Math.min(1, action));
    const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
    const moment = p.poleMass * p.halfLength;
    const push = (p.maxForce * clipped + moment * thetaDot ** 2 * sin) / p.totalMass;
    const thetaAcc = (p.gravity * sin - cos * push)
      / (p.halfLength * (4 / 3 - (p.poleMass * cos ** 2) / p.totalMass));
    const xAcc = push - (moment * thetaAcc * cos) / p.totalMass;
    const dt = p.timeStep;
    this.state = [x + dt * xDot, xDot + dt * xAcc,
      theta + dt * thetaDot, thetaDot + dt * thetaAcc];
    this.steps += 1;
    if (!this.parts.auto.checked) this.best = Math.max(this.best, this.steps);
    this.finish();
    this.draw(clipped);
  }

  /** End the episode if the pole fell, the cart left the track or the time is up. */
  finish() {
    const { maxPosition, maxAngle, maxSteps } = this.physics;
    const ending = Math.abs(this.state[2]) > maxAngle ? "The pole fell"
      : Math.abs(this.state[0]) > maxPosition ? "The cart left the track"
      : this.steps >= maxSteps ? "Time is up and the pole still stands" : null;
    if (!ending) return;
    this.over = true;
    this.pause(`${ending}: ${this.steps} steps.`);
  }

  drawBounds() {
    const { maxPosition, maxAngle, halfLength } = this.physics;
    const { left, right, limit } = this.parts;
    for (const [line, x] of [[left, -maxPosition], [right, maxPosition]]) {
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
    const [dx, dy] = [Math.sin(maxAngle), Math.cos(maxAngle)];
    const r = 2 * halfLength;
    limit.setAttribute("d", `M0 -0.3 L${-r * dx} ${-0.3 - r * dy}
      A${r} ${r} 0 0 1 ${r * dx} ${-0.3 - r * dy} Z`);
  }

  draw(action) {
    const { body, pole, push, score } = this.parts;
    const [x, , theta] = this.state;
    const r = 2 * this.physics.halfLength;
    body.setAttribute("transform", `translate(${x} 0)`);
    pole.setAttribute("x2", r * Math.sin(theta));
    pole.setAttribute("y1", -0.3);
    pole.setAttribute("y2", -0.3 - r * Math.cos(theta));
    push.setAttribute("x2", action);
    score.textContent = `${this.steps} steps, your best ${this.best}`;
  }
}

customElements.define("chula-cartpole", ChulaCartpole);
