"""Train a run: rows, evaluations and checkpoints on the way, and nothing lost."""

import contextlib
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chula_rl.errors import CheckpointError
from chula_rl.evaluation import TrainState, evaluate
from chula_rl.logs import RunLog
from chula_rl.runs import ALGORITHMS, Run

CHECKPOINT_SECONDS = 10.0  # of work that a killed run may lose


def train_run(
    run: Run,
    state: TrainState,
    report: Callable[[Mapping[str, float]], object] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Train a run to its end, or until it is told to stop, and save it.

    The mean policy is evaluated after the first update that reaches each multiple of
    ``run.eval_interval`` and at the end. Neither evaluations nor stops change what the
    training comes to.

    Args:
        run: its folder exists.
        state: from ``run.create()`` or ``run.restore()``; changed in place.
        report: given the metrics of each update.
        stop: asked after each update.

    Returns:
        True at the end of training, False after a stop.

    Raises:
        CheckpointError: the folder is damaged, or nothing can be written to it; the
            message says from where the run can go on.
    """
    interval = run.eval_interval
    with _Recorder(run, state) as recorder:
        before = state.steps
        for metrics in ALGORITHMS[run.algorithm].train(state):
            recorder.add(metrics)
            report(metrics)
            if state.steps // interval > before // interval:
                recorder.evaluate()
            before = state.steps
            if stop():
                recorder.save()
                return False
            recorder.save_now_and_then()
        recorder.evaluate()
        recorder.save()
    return True


class _Recorder:
    """Writes the folder of a run while it is trained."""

    def __init__(self, run: Run, state: TrainState) -> None:
        self._run = run
        self._state = state
        self._saved_steps = state.steps
        self._saved_time = time.monotonic()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "_Recorder":
        with self._writing():
            self._log = self._stack.enter_context(RunLog(self._run.path, self._state))
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, metrics: Mapping[str, float]) -> None:
        with self._writing():
            self._log.append_metrics(metrics)

    def evaluate(self) -> None:
        """Evaluate the policy as it is, unless that was done."""
        run, state = self._run, self._state
        if self._log.evaluated == state.steps:
            return
        episodes, seed = run.eval_episodes, run.evaluation_seed
        return_ = evaluate(state.policy, run.env_id, episodes, seed).return_
        row = {
            "steps": state.steps,
            "mean_return": float(return_.mean()),
            "std_return": float(return_.std()),
            "min_return": float(return_.min()),
        }
        with self._writing():
            self._log.append_evaluation(row)

    def save_now_and_then(self) -> None:
        if time.monotonic() - self._saved_time > CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        with self._writing():
            self._log.flush()  # first: a checkpoint needs the rows before it
            self._run.save(self._state)
        self._saved_steps = self._state.steps
        self._saved_time = time.monotonic()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell a full disk as what it means for the run."""
        try:
            yield
        except OSError as error:
            raise CheckpointError(
                f"cannot write to {self._run.path}: {error}. The checkpoint of step "
                f"{self._saved_steps:,} is intact. Mend the cause (free some space?) "
                f"and go on with `{resume_command(self._run)}`."
            ) from error


def resume_command(run: Run) -> str:
    """The command that goes on with a run."""
    folder = shlex.quote(str(run.path))
    return f"chula-rl train {run.algorithm} --resume --out {folder}"
