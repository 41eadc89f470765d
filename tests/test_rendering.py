"""Frames of a policy at work, GIFs and MP4s, decoded again."""

import builtins
import os

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from gymnasium import spaces
from PIL import Image

from chula_rl import ContinuousCartPoleEnv, GaussianPolicy, evaluate, rendering
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError, UnsupportedEnvError

ENDLESS_ID = "chula_rl_tests/Endless-v0"


class EndlessEnv(gym.Env):
    """Never ends; its picture is a grey that tells the step."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012  # as Gymnasium has it
    action_space = spaces.Box(-1, 1, shape=(1,), dtype=np.float32)
    observation_space = spaces.Box(0, 1, shape=(1,), dtype=np.float32)

    def __init__(self, render_mode=None, picture=True):
        self.render_mode, self.picture = render_mode, picture

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(1, dtype=np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(1, dtype=np.float32), 1.0, False, False, {}

    def render(self):
        return np.full((4, 6, 3), self.steps, dtype=np.uint8) if self.picture else None


@pytest.fixture
def endless():
    """The environment, registered for the duration of a test."""

    def register(**kwargs):
        gym.register(
            ENDLESS_ID, entry_point=EndlessEnv, disable_env_checker=True, kwargs=kwargs
        )

    yield register
    del gym.registry[ENDLESS_ID]


def test_frames_are_of_the_episode_that_evaluation_plays(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "of the user")
    policy = GaussianPolicy(4, 1)
    frames = rendering.rollout_frames(policy, seed=3)
    same = evaluate(policy, num_episodes=1, seed=3, vectorization_mode="sync")
    assert len(frames) == 1 + same.length[0]
    assert frames[0].shape == (400, 600, 3)
    assert (frames[0] != frames[-1]).any()
    assert os.environ["SDL_VIDEODRIVER"] == "of the user"


def test_a_window_is_drawn_once_for_each_step(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    drawn = []
    monkeypatch.setattr(
        ContinuousCartPoleEnv, "render", lambda self: drawn.append(self.render_mode)
    )
    shown = list(rendering.play(GaussianPolicy(4, 1), ENV_ID, 0, "human"))
    assert drawn == ["human"] * len(shown)
    assert set(shown) == {None}


def test_gif_plays_all_frames_at_their_speed(tmp_path):
    frames = [np.full((8, 6, 3), value, dtype=np.uint8) for value in (0, 90, 90, 255)]
    rendering.save_gif(frames, tmp_path / "a.gif", fps=25)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.size == (6, 8)
        assert gif.info["loop"] == 0
        milliseconds, values = [], []
        for i in range(gif.n_frames):
            gif.seek(i)
            milliseconds.append(gif.info["duration"])
            values.append(gif.convert("L").getpixel((0, 0)))
    assert sum(milliseconds) == 4 * 40
    assert values == pytest.approx([0, 90, 255], abs=2)


def test_a_film_of_an_episode_without_end_is_cut(endless):
    endless()
    frames = rendering.rollout_frames(GaussianPolicy(1, 1), ENDLESS_ID, max_frames=7)
    assert [frame[0, 0, 0] for frame in frames] == list(range(7))
    with pytest.raises(ConfigError, match="max_frames is 0"):
        rendering.rollout_frames(GaussianPolicy(1, 1), ENDLESS_ID, max_frames=0)


def test_an_environment_that_does_not_draw_is_refused(endless):
    endless(picture=False)
    with pytest.raises(UnsupportedEnvError, match="Endless-v0 does not draw itself"):
        rendering.rollout_frames(GaussianPolicy(1, 1), ENDLESS_ID)


def test_a_deterministic_policy_is_filmed_like_one_of_that_mean():
    def policy(obs):
        return torch.full((len(obs), 1), 0.3)

    def gaussian(obs):
        return policy(obs), torch.full((len(obs), 1), 9.0)

    one, other = (rendering.rollout_frames(p, seed=1) for p in (policy, gaussian))
    np.testing.assert_array_equal(one, other)
    assert len(one) > 5


def test_the_environment_says_how_fast_it_is(endless):
    endless()
    assert rendering.render_fps(ENV_ID) == 50  # steps of 0.02 s
    assert rendering.render_fps("Pendulum-v1") == 30
    assert rendering.render_fps(ENDLESS_ID) == 30


def decoded(path):
    """What a player sees: the properties of the file and its frames."""
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    width, height = meta["size"]
    frames = [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]
    return meta, np.stack(frames)


def coloured_frames(height, width):
    """Twelve frames: the left half red to blue, the right half green."""
    frames = np.zeros((12, height, width, 3), dtype=np.uint8)
    frames[:, :, : width // 2, 0] = np.linspace(255, 0, 12)[:, None, None]
    frames[:, :, : width // 2, 2] = np.linspace(0, 255, 12)[:, None, None]
    frames[:, :, width // 2 :, 1] = 200
    return frames


@pytest.mark.parametrize("size", [(64, 48), (65, 48), (64, 47), (33, 51)])
def test_mp4_plays_everywhere_with_all_frames_at_their_size_and_speed(tmp_path, size):
    frames = coloured_frames(*size)
    rendering.save_mp4(iter(frames), tmp_path / "a.mp4", fps=12.5)
    meta, seen = decoded(tmp_path / "a.mp4")
    assert meta["codec"] == "h264"
    assert meta["pix_fmt"].startswith("yuv420p")  # what all browsers decode
    assert meta["fps"] == 12.5
    height, width = size
    assert seen.shape == (12, height + height % 2, width + width % 2, 3)
    # away from edges between colours, which 4:2:0 smears; the filled row and column too
    for rows, columns in [
        (slice(4, height - 4), slice(4, width // 2 - 4)),
        (slice(4, height - 4), width - 1),
    ]:
        shown = frames[:, rows, columns].astype(int)
        assert np.abs(seen[:, rows, columns] - shown).max() < 20
    np.testing.assert_allclose(seen[:, -1, -1], frames[:, -1, -1], atol=20)
    movie = (tmp_path / "a.mp4").read_bytes()
    assert movie.index(b"moov") < movie.index(b"mdat")  # plays while it still loads


@pytest.mark.parametrize(("name", "magic"), [("a.gif", b"GIF8"), ("A.MP4", b"ftyp")])
def test_the_ending_of_the_name_chooses_the_format(tmp_path, name, magic):
    rendering.save_video(coloured_frames(16, 16), tmp_path / name, 10)
    assert magic in (tmp_path / name).read_bytes()[:12]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"expected \.gif or \.mp4"):
        rendering.save_video(coloured_frames(16, 16), tmp_path / "a.avi")


SAVERS = [rendering.save_gif, rendering.save_mp4]


@pytest.mark.parametrize("save", SAVERS)
@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least one"),
        ([np.zeros((4, 4), np.uint8)], r"shape \(4, 4\)"),
        ([np.zeros((4, 4, 4), np.uint8)], r"expected \(height, width, 3\)"),
        ([np.zeros((4, 4, 3))], "dtype float64"),
        ([np.zeros((4, n, 3), np.uint8) for n in (4, 6)], "images of one size"),
    ],
)
def test_what_is_no_film_is_refused_and_leaves_no_file(tmp_path, save, frames, message):
    with pytest.raises(ConfigError, match=message):
        save(frames, tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("save", SAVERS)
@pytest.mark.parametrize("fps", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(tmp_path, save, fps):
    with pytest.raises(ConfigError, match="expected a positive number"):
        save(coloured_frames(16, 16), tmp_path / "a", fps)


def test_an_mp4_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OSError, match="could not write"):
        rendering.save_mp4(coloured_frames(16, 16), tmp_path / "no" / "a.mp4")


def test_an_mp4_of_which_frames_are_missing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(imageio_ffmpeg, "count_frames_and_secs", lambda _: (11, 1.0))
    with pytest.raises(OSError, match="enough space on the disk"):
        rendering.save_mp4(coloured_frames(16, 16), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_film_itself_is_passed_on(tmp_path):
    def frames():
        yield from coloured_frames(16, 16)
        raise RuntimeError("the simulator broke")

    with pytest.raises(RuntimeError, match="the simulator broke"):
        rendering.save_mp4(frames(), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_without_ffmpeg_mp4_says_what_to_do_and_gif_works(tmp_path, monkeypatch):
    real_import = builtins.__import__

    def without_ffmpeg(name, *args, **kwargs):
        if name == "imageio_ffmpeg":
            raise ModuleNotFoundError("No module named 'imageio_ffmpeg'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_ffmpeg)
    frames = coloured_frames(16, 16)
    with pytest.raises(ConfigError, match=r"pip install imageio-ffmpeg.*\.gif"):
        rendering.save_video(frames, tmp_path / "a.mp4")
    rendering.save_video(frames, tmp_path / "a.gif")
    assert (tmp_path / "a.gif").exists()
