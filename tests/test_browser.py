"""The book in headless Chromium: no network, no errors, and a cart that moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from playwright.sync_api import Browser, Page

from chula_rl import ContinuousCartPoleEnv, GaussianPolicy, envs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
PAGES = [TOC["root"]] + [c["file"] for part in TOC["parts"] for c in part["chapters"]]
WIDGET = "document.querySelector('chula-cartpole')"


def open_page(browser: Browser, site: Path, name: str, **context: Any) -> Page:
    """Open a page from its file and collect in ``page.problems`` what goes wrong."""
    page = browser.new_page(**context)
    problems: list[str] = []
    page.problems = problems  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    page.on(
        "console",
        lambda message: (
            problems.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:"))
            else problems.append(f"network: {request.url}")
        ),
    )
    page.goto((site / f"{name}.html").as_uri())
    return page


@pytest.fixture
def landing(browser: Browser, site: Path) -> Iterator[Page]:
    page = open_page(browser, site, "intro")
    page.locator("chula-cartpole #speed").select_option("1")
    yield page
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_page_opens_cleanly(
    browser: Browser, site: Path, name: str, width: int, scheme: Any
) -> None:
    size = {"width": width, "height": 844}
    page = open_page(browser, site, name, viewport=size, color_scheme=scheme)
    page.evaluate("window.MathJax?.startup?.promise")
    assert page.problems == []  # type: ignore[attr-defined]
    assert page.locator("mjx-merror").count() == 0, "a formula does not parse"
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0, "the page scrolls sideways"
    page.close()


@pytest.mark.parametrize(("key", "side"), [("ArrowRight", 1), ("ArrowLeft", -1)])
def test_arrow_keys_move_the_cart(landing: Page, key: str, side: int) -> None:
    landing.evaluate(f"{WIDGET}.reset([0, 0, 0, 0])")
    drawn = landing.locator("chula-cartpole #body").get_attribute("transform")
    landing.locator("chula-cartpole .stage").focus()
    landing.keyboard.down(key)
    landing.wait_for_function(f"{side} * {WIDGET}.state[0] > 0.005")
    landing.keyboard.up(key)
    assert landing.evaluate(f"{WIDGET}.keyPush") == 0
    assert drawn != landing.locator("chula-cartpole #body").get_attribute("transform")
    assert landing.problems == []  # type: ignore[attr-defined]


def test_slider_moves_the_cart(landing: Page) -> None:
    landing.evaluate(f"{WIDGET}.reset([0, 0, 0, 0])")
    landing.locator("chula-cartpole #slider").fill("-0.5")
    landing.wait_for_function(f"{WIDGET}.state[0] < -0.005")


def test_space_pauses_and_r_resets(landing: Page) -> None:
    landing.locator("chula-cartpole .stage").focus()
    landing.keyboard.press(" ")
    landing.wait_for_function(f"{WIDGET}.steps > 2")
    landing.keyboard.press(" ")
    paused = landing.evaluate(f"{WIDGET}.state")
    landing.wait_for_timeout(100)
    assert landing.evaluate(f"{WIDGET}.state") == paused
    landing.keyboard.press("r")
    assert landing.evaluate(f"{WIDGET}.steps") == 0


def test_falling_ends_the_episode(landing: Page) -> None:
    landing.evaluate(f"{WIDGET}.reset([0, 0, 0, 0])")
    ended = landing.evaluate(
        f"(() => {{ const w = {WIDGET}; w.running = true;"
        " while (!w.over) w.step(1); return [w.running, w.steps]; })()"
    )
    assert ended[0] is False
    assert ended[1] < envs.MAX_EPISODE_STEPS
    status = landing.locator("chula-cartpole [role=status]").text_content()
    assert status == f"The pole fell: {ended[1]} steps."


def test_trained_policy_balances(landing: Page) -> None:
    landing.locator("chula-cartpole #auto").check()
    survived = landing.evaluate(
        f"""(() => {{
            const w = {WIDGET};
            return Array.from({{length: 20}}, () => {{
                w.reset();
                while (!w.over) w.step(w.action());
                return w.steps;
            }});
        }})()"""
    )
    assert survived == [envs.MAX_EPISODE_STEPS] * 20
    assert landing.evaluate(f"{WIDGET}.best") == 0, "the score is the reader's"


def test_dynamics_are_those_of_the_environment(landing: Page) -> None:
    actions = 1.2 * np.sin(np.arange(200) / 7)  # beyond the bounds at times
    env = ContinuousCartPoleEnv()
    env.reset(seed=3)
    start = env.state.tolist()
    expected = []
    for action in actions:
        env.step(np.array([action]))
        expected.append(env.state.copy())
    found = landing.evaluate(
        f"""([start, actions]) => {{
            const w = {WIDGET};
            w.reset(start);
            return actions.map((action) => {{ w.step(action); return w.state; }});
        }}""",
        [start, actions.tolist()],
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_policy_is_that_of_torch(landing: Page) -> None:
    weights = landing.evaluate(f"{WIDGET}.policy")
    first, last = weights["layers"]
    scale = np.array(weights["obsScale"])
    policy = GaussianPolicy(4, 1, (len(first["bias"]),), obs_scale=scale)
    policy.mean[0].load_state_dict({k: torch.tensor(v) for k, v in first.items()})
    policy.mean[2].load_state_dict({k: torch.tensor(v) for k, v in last.items()})
    obs = np.random.default_rng(0).uniform(-scale, scale, size=(50, 4))
    expected, _ = policy(torch.as_tensor(obs, dtype=torch.float32))
    found = landing.evaluate(f"(obs) => obs.map((o) => {WIDGET}.act(o))", obs.tolist())
    np.testing.assert_allclose(found, expected[:, 0].detach().numpy(), atol=1e-5)
    assert np.ptp(found) > 0.1, "the policy hardly reacts: was it trained?"


def test_widget_follows_the_theme(browser: Browser, site: Path) -> None:
    colours = []
    for scheme in ("light", "dark"):
        page = open_page(browser, site, "intro", color_scheme=scheme)
        style = "getComputedStyle(document.querySelector('{}')).{}"
        plate = page.evaluate(
            style.format("div.text_html:has(chula-cartpole)", "backgroundColor")
        )
        assert plate == "rgba(0, 0, 0, 0)", "a plate lies behind the figure"
        colours.append(page.evaluate(style.format("chula-cartpole", "color")))
        page.close()
    assert colours[0] != colours[1]


def test_widget_starts_slowly_where_motion_is_unwelcome(
    browser: Browser, site: Path
) -> None:
    page = open_page(browser, site, "intro", reduced_motion="reduce")
    speed = page.locator("chula-cartpole #speed")
    assert float(speed.input_value()) == 0.1
    assert not page.evaluate(f"{WIDGET}.running")
    page.close()
