"""Pictures and videos of a policy at work."""

import contextlib
import itertools
import math
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv
from PIL import Image
from torch import Tensor

from chula_rl.env_stream import action_bounds
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError, UnsupportedEnvError
from chula_rl.evaluation import mean_action

Frame = npt.NDArray[np.uint8]
DEFAULT_FPS = 50.0  # the cart-pole's own, of whose time a step is 0.02 s


def play(
    policy: Callable[[Tensor], Any], env_id: str, seed: int, render_mode: str
) -> Generator[Frame | None, None, None]:
    """Play one episode with the mean action, pausing after the reset and each step.

    Args:
        policy: as in ``evaluation.mean_action``.
        env_id: a registered environment with continuous actions.
        seed: of the start.
        render_mode: ``"rgb_array"``, or ``"human"`` to show a window.

    Yields:
        An image ``[height, width, 3]``; None while a window shows it.

    Raises:
        UnsupportedEnvError: the environment does not draw itself, or its actions are
            not continuous.
    """
    env = gym.make_vec(
        env_id, num_envs=1, vectorization_mode="sync", render_mode=render_mode
    )
    with contextlib.closing(env):
        low, high = action_bounds(env)
        obs, _ = env.reset(seed=seed)
        yield _frame(env, env_id)
        ended = np.zeros(1, dtype=np.bool_)
        while not ended.any():
            action = mean_action(policy, obs, low, high)
            obs, _, terminated, truncated, _ = env.step(action)
            ended = terminated | truncated
            yield _frame(env, env_id)


def _frame(env: VectorEnv[Any, Any, Any], env_id: str) -> Frame | None:
    """The picture of now; a window is drawn by ``step`` itself."""
    if env.render_mode == "human":
        return None
    with _no_screen():
        (frame,) = env.render() or (None,)
    if frame is None:
        raise UnsupportedEnvError(
            f"{env_id} does not draw itself: its render modes are "
            f"{env.metadata.get('render_modes', [])}; expected 'rgb_array' among them."
        )
    return np.asarray(frame)


@contextlib.contextmanager
def _no_screen() -> Iterator[None]:
    """Keep SDL, with which environments draw, from looking for a screen."""
    before = os.environ.get("SDL_VIDEODRIVER")
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        yield
    finally:
        del os.environ["SDL_VIDEODRIVER"]
        if before is not None:
            os.environ["SDL_VIDEODRIVER"] = before


def rollout_frames(
    policy: Callable[[Tensor], Any],
    env_id: str = ENV_ID,
    seed: int = 0,
    max_frames: int = 2000,
) -> list[Frame]:
    """The images of one episode played with the mean action; see ``play``.

    Args:
        policy: as in ``evaluation.mean_action``.
        env_id: a registered environment with continuous actions.
        seed: of the start.
        max_frames: where the film is cut, so that an episode without an end does not
            fill the memory. ``save_mp4`` takes longer ones from ``play`` as they come.

    Returns:
        One image for the start and one for each step, at most ``max_frames``.
    """
    if max_frames < 1:
        raise ConfigError(f"max_frames is {max_frames}; expected at least 1.")
    with contextlib.closing(play(policy, env_id, seed, "rgb_array")) as frames:
        shown = itertools.islice(frames, max_frames)
        return [frame for frame in shown if frame is not None]


def render_fps(env_id: str) -> float:
    """Images a second at which an environment looks as fast as it is meant to.

    Returns:
        ``metadata["render_fps"]`` of the environment, and 30 where it says nothing, as
        in Gymnasium's own recorder.
    """
    with contextlib.closing(gym.make(env_id)) as env:
        return float(env.metadata.get("render_fps") or 30)


def save_video(frames: Iterable[Frame], path: Path, fps: float = DEFAULT_FPS) -> None:
    """Save images as a GIF or an MP4, as the name of the file says.

    Args:
        frames: one or more images ``[height, width, 3]``.
        path: of the file, ending in ``.gif`` or ``.mp4``.
        fps: images a second; ``render_fps`` says how many an environment means.

    Raises:
        ConfigError: another ending, or as in ``save_gif`` and ``save_mp4``.
    """
    savers = {".gif": save_gif, ".mp4": save_mp4}
    save = savers.get(path.suffix.lower())
    if save is None:
        raise ConfigError(
            f"{path.name} ends in {path.suffix!r}; expected .gif or .mp4."
        )
    save(frames, path, fps)


def save_gif(frames: Iterable[Frame], path: Path, fps: float = DEFAULT_FPS) -> None:
    """Save images as an animated GIF that repeats for ever.

    Args:
        frames: one or more images ``[height, width, 3]``.
        path: of the file.
        fps: images a second; the format stores hundredths of a second for each.

    Raises:
        ConfigError: no frames, frames that are no images of one size, or an ``fps``
            that is not positive.
    """
    frames = list(_checked(frames, fps))
    sample = np.hstack(frames[:: max(1, len(frames) // 8)])
    # one palette for all frames: much faster than one for each
    palette = Image.fromarray(sample).quantize(256, Image.Quantize.FASTOCTREE)
    first, *rest = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    milliseconds = max(2, round(100 / fps)) * 10  # browsers slow shorter ones to 100 ms
    first.save(path, save_all=True, append_images=rest, duration=milliseconds, loop=0)


def save_mp4(frames: Iterable[Frame], path: Path, fps: float = DEFAULT_FPS) -> None:
    """Save images as an MP4 video that every browser plays: H.264, 4:2:0 colours.

    Frames are written as they come and not kept. That format needs an even width and
    height; an odd one is filled up with its last row or column again.

    Args:
        frames: one or more images ``[height, width, 3]``.
        path: of the file.
        fps: images a second.

    Raises:
        ConfigError: as in ``save_gif``, or imageio-ffmpeg is not installed.
        OSError: the file could not be written whole; what there is of it is removed.
    """
    ffmpeg = _ffmpeg()
    even = map(_even, _checked(frames, fps))
    first = next(even)
    file = str(path.absolute())  # never taken for an option or an address
    writer = ffmpeg.write_frames(
        file,
        (first.shape[1], first.shape[0]),
        fps=fps,
        codec="libx264",
        quality=7,
        macro_block_size=2,
        ffmpeg_log_level="error",
        output_params=["-movflags", "+faststart"],  # plays while it still loads
    )
    written = 0
    with _whole_or_nothing(path), contextlib.closing(writer):
        with _ffmpeg_failures(path):
            writer.send(None)
        for frame in itertools.chain([first], even):
            with _ffmpeg_failures(path):
                writer.send(frame.tobytes())
            written += 1
        with _ffmpeg_failures(path):
            writer.close()
            # ffmpeg may fail after the last frame, and nobody reads its exit status
            if ffmpeg.count_frames_and_secs(file)[0] != written:
                raise OSError("frames are missing")


@contextlib.contextmanager
def _whole_or_nothing(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _ffmpeg_failures(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: the file is no video
        raise OSError(
            f"could not write {path} with ffmpeg, which says why above; expected a "
            "folder to write in and enough space on the disk."
        ) from error


def _even(frame: Frame) -> Frame:
    height, width, _ = frame.shape
    return np.pad(frame, [(0, height % 2), (0, width % 2), (0, 0)], mode="edge")


def _ffmpeg() -> Any:
    """The module ``imageio_ffmpeg``, which brings a program of its own."""
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:  # RuntimeError: without the program
        raise ConfigError(
            f"MP4 needs imageio-ffmpeg ({error}): pip install imageio-ffmpeg. "
            "Or save a GIF, with a name that ends in .gif, which needs nothing more."
        ) from error
    return imageio_ffmpeg


def _checked(frames: Iterable[Frame], fps: float) -> Iterator[Frame]:
    """The frames, each checked as it comes."""
    if not 0 < fps < math.inf:
        raise ConfigError(f"fps is {fps}; expected a positive number.")
    first = None
    for frame in frames:
        first = frame if first is None else first
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ConfigError(
                f"a frame has shape {frame.shape} and dtype {frame.dtype}; expected "
                "(height, width, 3) of uint8, as render_mode='rgb_array' gives."
            )
        if frame.shape != first.shape:
            raise ConfigError(
                f"a frame has shape {frame.shape}, but the first has {first.shape}; "
                "expected images of one size."
            )
        yield frame
    if first is None:
        raise ConfigError("frames is empty; expected at least one image.")
