"""Functions in the sandbox, called from here: as if they were here.

Every case runs the same function on both sides and compares, as root with a user of
its own for students (where the tests run as root) and as an ordinary user.
"""

import os

import pytest
import torch

from chula_rl.errors import SandboxError, StoppedError
from chula_rl.grading import compare
from chula_rl.grading.inside.wire import Opaque
from chula_rl.grading.limits import Limits
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.session import Session
from chula_rl.networks import GaussianPolicy, QNetwork, ValueNetwork
from chula_rl.types import Episode

MODES = [False, True] if os.geteuid() == 0 else [False]
MODULE = """
import torch
from torch import nn
from chula_rl.networks import GaussianPolicy
"""


@pytest.fixture(scope="module", params=MODES, ids=lambda root: f"as_root={root}")
def sandbox(request):
    with Sandbox(as_root=request.param) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox):
    session = Session(sandbox, Limits(cell_seconds=20, memory=600_000_000))
    session.begin_cell()
    yield session
    session.close()


@pytest.fixture
def both(session):
    """Defines functions on both sides; gives those here and proxies of those there."""

    def define(code):
        namespace = {}
        exec(MODULE + code, namespace)
        assert session.run(MODULE + code) == []
        return lambda name: (namespace[name], session.function(name))

    return define


def draw(*shape, grad=False):
    generator = torch.Generator().manual_seed(len(shape) + sum(shape))
    tensor = torch.randn(shape, generator=generator)
    return tensor.requires_grad_(grad)


def test_results_of_every_kind(both):
    here, there = both("def f(*a, k=1):\n    return {'a': a, 'k': [k, None, (True,)]}")(
        "f"
    )
    args = 1, 2.5, "x", [1, (2,)], torch.arange(3), Episode(*[torch.ones(2)] * 3, 1, 0)
    assert str(there(*args, k=3)) == str(here(*args, k=3))


def test_gradients_of_both_arguments_and_several_results(both):
    code = "def f(a, b, c):\n    return (a * b).sum(), {'x': a.exp() @ c, 'y': b * 2}"
    grads = []
    for f in both(code)("f"):
        a, b, c = draw(3, grad=True), draw(3, 1).squeeze(1).requires_grad_(), draw(3, 2)
        total, more = f(a, b, c)
        (2 * total + more["x"].sum() + (more["y"] ** 2).sum()).backward()
        grads.append((a.grad, b.grad, c.grad))
    (a1, b1, c1), (a2, b2, c2) = grads
    assert torch.allclose(a1, a2)
    assert torch.allclose(b1, b2)
    assert c1 is None
    assert c2 is None


def test_numeric_gradients(session):
    session.run(MODULE + "def f(x):\n    return (x.sin() * x).cumsum(0)")
    x = draw(4).double().requires_grad_()
    assert torch.autograd.gradcheck(session.function("f"), (x,))


def test_a_graph_is_used_twice_and_a_call_inside_of_another_graph(both):
    code = "def f(x):\n    return x ** 2"
    grads = []
    for f in both(code)("f"):
        x = draw(3, grad=True)
        y = f(x * 3)
        y.sum().backward(retain_graph=True)
        (f(y) * x).sum().backward()
        grads.append(x.grad)
    assert torch.allclose(*grads)


def test_a_cut_gradient_is_none_and_a_detached_result_needs_none(both):
    code = "def f(a, b):\n    return a * b.detach(), b.detach()"
    for f in both(code)("f"):
        a, b = draw(2, grad=True), draw(2, grad=True)
        product, detached = f(a, b)
        assert not detached.requires_grad
        product.sum().backward()
        assert b.grad is None
        assert torch.equal(a.grad, b)


def test_without_gradients_there_is_no_graph(both):
    for f in both("def f(a):\n    return a * 2, torch.is_grad_enabled()")("f"):
        with torch.no_grad():
            result, enabled = f(draw(2, grad=True))
        assert not result.requires_grad
        assert not enabled


def test_what_is_changed_in_place_is_changed_here(both):
    code = "def f(a, e, n):\n    a += 1\n    e.reward[0] = 7\n    n[1] = 5\n"
    for f in both(code)("f"):
        a, reward, nested = torch.zeros(2), torch.zeros(3), torch.zeros(2)
        f(a, Episode(a, a, reward, True, False), nested)
        assert a.tolist() == [1, 1]
        assert reward.tolist() == [7, 0, 0]
        assert nested.tolist() == [0, 5]


@pytest.mark.parametrize(
    "make", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop]
)
def test_updates_of_networks_and_optimisers(both, make):
    code = """
def update(policy, value, one, two, obs):
    loss = policy(obs)[0].sum() + value(obs).pow(2).mean() + policy.log_std.sum()
    one.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([*policy.parameters(), *value.parameters()], 0.5)
    one.step()
    two.step()
    return loss.item()
"""
    results = []
    for update in both(code)("update"):
        generator = torch.Generator().manual_seed(0)
        scale = torch.tensor([1.0, 2, 3]).numpy()
        policy = GaussianPolicy(3, 2, (4,), -0.3, scale, generator)
        value = ValueNetwork(3, (4, 5), None, 10.0, generator)
        one, two = make(policy.parameters(), 0.01), make(value.parameters(), 0.1)
        losses = [update(policy, value, one, two, draw(5, 3)) for _ in range(3)]
        parameters = [*policy.parameters(), *value.parameters()]
        state = [*one.state_dict()["state"].items(), *two.state_dict()["state"].items()]
        results.append((losses, parameters, [p.grad for p in parameters], state))
    (loss1, p1, g1, s1), (loss2, p2, g2, s2) = results
    assert loss1 == pytest.approx(loss2)
    assert all(torch.allclose(*pair) for pair in zip(p1, p2, strict=True))
    assert all(torch.allclose(*pair) for pair in zip(g1, g2, strict=True))
    assert str(s1) == str(s2)


def test_old_gradients_are_there(both):
    code = "def f(network):\n    return [p.grad for p in network.parameters()]"
    for f in both(code)("f"):
        network = ValueNetwork(2, (3,), generator=torch.Generator().manual_seed(1))
        network(draw(4, 2)).sum().backward()
        expected = [p.grad.clone() for p in network.parameters()]
        assert all(
            torch.equal(*pair) for pair in zip(f(network), expected, strict=True)
        )


def test_networks_of_ddpg_and_a_gradient_through_one(both):
    code = "def f(critic, obs, action):\n    return -critic(obs, action).mean()"
    grads = []
    for f in both(code)("f"):
        generator = torch.Generator().manual_seed(2)
        critic = QNetwork(3, 1, (4, 4), None, None, 2.0, True, generator)
        action = draw(6, 1, grad=True)
        f(critic, draw(6, 3), action).backward()
        grads.append([action.grad, *[p.grad for p in critic.parameters()]])
    assert all(torch.allclose(*pair) for pair in zip(*grads, strict=True))


def test_errors_come_as_the_nearest_known_class(session):
    session.run(
        "class Mine(ValueError):\n    pass\n"
        "def f(kind):\n"
        "    from chula_rl.errors import ShapeError\n"
        "    raise {'own': Mine, 'ours': ShapeError, 'exit': SystemExit,\n"
        "           'blank': NotImplementedError}[kind]('why')\n"
    )
    f = session.function("f")
    for kind, error in (
        ("own", ValueError),
        ("ours", ValueError),
        ("exit", RuntimeError),
        ("blank", NotImplementedError),
    ):
        with pytest.raises(error, match="why"):
            f(kind)
    with pytest.raises(NameError, match="'nothing' is not defined"):
        session.function("nothing")(1)


def test_a_class_of_the_students(session):
    session.run(
        "class Buffer:\n"
        "    def __init__(self, size):\n        self.items, self.size = [], size\n"
        "    def add(self, x):\n        self.items.append(x)\n        return self\n"
        "    def __len__(self):\n        return len(self.items)\n"
        "def total(buffer):\n    return sum(buffer.items)\n"
    )
    buffer = session.function("Buffer")(5)
    buffer.add(2)
    buffer.add(torch.tensor(3)).add(1)
    assert len(buffer) == 3
    assert buffer.size == 5
    assert session.function("total")(buffer) == 6


def test_what_cannot_be_sent_stands_for_itself(session):
    session.run("def f():\n    return {1, 2}, type('T', (torch.Tensor,), {})()\n")
    session.run("import torch")
    result, tensor = session.function("f")()
    assert isinstance(result, Opaque)
    assert isinstance(tensor, Opaque)
    with pytest.raises(AttributeError, match="'set' object has no attribute 'shape'"):
        _ = result.shape


def test_globals_are_bound_to_functions_of_ours(both, session):
    code = """
def helper(x):
    return 0 * x

def f(x, *, power=2):
    return helper(x) ** power
"""
    here, there = both(code)("f")
    x = draw(3, grad=True)
    assert torch.equal(there(x), torch.zeros(3))
    lent = compare.rebind(there, helper=lambda x: 3 * x)
    assert torch.allclose(lent(x), 9 * x**2)
    lent(x).sum().backward()  # the gradient comes from there, from here, from there
    assert torch.allclose(x.grad, 18 * x)
    assert torch.equal(there(x), torch.zeros(3))
    assert torch.equal(here(x), torch.zeros(3))


def test_what_was_lent_is_closed_again_and_gives_nothing_away(session):
    session.run(
        "kept = []\n"
        "def f(helper):\n    kept.append(helper)\n    return helper(1)\n"
        "def again():\n    return kept[0](1)\n"
        "def snoop(helper):\n    return helper.func_globals\n"
    )
    assert session.function("f")(lambda x: x + 1) == 2
    with pytest.raises(Exception, match=r"export|1"):
        session.function("again")()
    with pytest.raises(KeyError):
        session.function("snoop")(lambda x: x)


def test_a_lent_function_takes_no_large_arguments(session):
    session.run(
        "import torch\n"
        "def f(helper, n):\n    return helper(torch.zeros(n, dtype=torch.float16))\n"
    )
    f = session.function("f")
    assert f(len, 1_000) == 1_000
    with pytest.raises(Exception, match="too large"):
        f(len, 1_000_000)
    assert f(len, 1_000) == 1_000


def test_output_of_cells_in_order_and_of_calls_not_at_all(session):
    outputs = session.run(
        "import sys, warnings\nprint('a')\nprint('b', file=sys.stderr)\n"
        "warnings.warn('c')\n1 + 1"
    )
    assert [output["output_type"] for output in outputs] == [
        *("stream", "stream", "display_data")
    ]
    assert outputs[0]["text"] == "a\n"
    assert outputs[1]["text"].startswith("b\n")
    assert outputs[2]["data"] == {"text/plain": "2"}
    (error,) = session.run("def f():\n    print('hidden')\nf(1)")
    assert error["ename"] == "TypeError"
    assert session.function("f")() is None


def test_magics_and_pictures(session):
    outputs = session.run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "plt.show()"
    )
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os._exit(0)", "ends the process"),
        ("import ctypes; ctypes.string_at(0)", "crash"),
        ("x = []\nwhile True: x.append(bytearray(10**7))", "MemoryError|memory"),
    ],
)
def test_a_cell_that_ends_the_process_costs_only_itself(session, code, reason):
    session.run("def f():\n    return 5")
    try:
        (error,) = session.run(code)
        message = error["ename"]
    except StoppedError as error:
        message = str(error)
        session.begin_cell()
    assert any(part in message for part in reason.split("|"))
    assert session.function("f")() == 5


def test_a_call_that_never_returns(sandbox):
    session = Session(sandbox, Limits(cell_seconds=3))
    session.run("import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)")
    session.run("def loop():\n    while True: pass\ndef f():\n    return 1")
    session.begin_cell()
    with pytest.raises(StoppedError, match="longer than 3 seconds"):
        session.function("loop")()
    with pytest.raises(StoppedError):  # nothing more in this cell
        session.function("f")()
    session.begin_cell()
    assert session.function("f")() == 1
    session.close()
    assert session.ends == ["time"]
    assert session.cpu_seconds > 1


def test_restarts_and_time_come_to_an_end(sandbox):
    session = Session(sandbox, Limits(restarts=2))
    for _ in range(3):
        with pytest.raises(StoppedError, match="ends the process"):
            session.run("import os; os._exit(0)")
    with pytest.raises(StoppedError, match="not run"):
        session.run("1")
    session.close()


def test_large_results_are_refused_and_nothing_stops(sandbox):
    session = Session(sandbox, Limits(message_size=1_000_000))
    session.run("import torch\ndef f(n):\n    return torch.zeros(n)")
    session.begin_cell()
    f = session.function("f")
    with pytest.raises(Exception, match="too large"):
        f(10**6)
    assert len(f(10)) == 10
    session.close()


def test_functions_of_the_reference_give_nothing_but_results(session):
    assert session.run("import chula_rl.returns as r, torch") == []
    (error,) = session.run("r.rewards_to_go(torch.ones(2), 0.5)")
    assert error["ename"] == "NotImplementedError"
    (error,) = session.run("import chula_rl.grading")
    assert error["ename"] == "ModuleNotFoundError"


def test_the_machine_is_out_of_reach(session):
    code = """
import os, pathlib
seen = {
    "proc": os.listdir("/proc"),
    "environment": sorted(os.environ),
    "writable": [p for p in ("/", "/usr/lib", "/grader", "/dev", "/dev/shm", "/tmp")
                 if os.access(p, os.W_OK)],
    "home": os.path.exists("/home") or os.path.exists("/etc/passwd"),
    "descriptors": [d for d in range(3, 1000) if pathlib.Path(f"/dev/fd/{d}").exists()],
}
"""
    assert session.run(code) == []
    session.run("def look():\n    return seen")
    seen = session.function("look")()
    assert seen["proc"] == []
    assert seen["writable"] == ["/tmp"]
    assert not seen["home"]
    assert not {"USER", "SHELL"} & set(seen["environment"])


@pytest.mark.parametrize(
    "call",
    [
        "libc.unshare(0x10000000)",
        "libc.unshare(0x00020000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.syscall(319, b'x', 0)",  # memfd_create on x86-64
        "libc.umount2(b'/proc', 2)",
        "libc.chroot(b'/tmp')",
    ],
)
def test_system_calls_that_are_refused(session, call):
    session.run(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"def f():\n    return {call}, ctypes.get_errno()"
    )
    result, errno = session.function("f")()
    assert result == -1
    assert errno in (1, 0)  # EPERM; 0 where the call was not even tried


def test_processes_are_counted_and_end_with_the_submission(session):
    session.run(
        "import os, time\n"
        "def bomb():\n"
        "    n = 0\n"
        "    try:\n"
        "        while n < 500:\n"
        "            if os.fork() == 0:\n"
        "                time.sleep(60)\n"
        "                os._exit(0)\n"
        "            n += 1\n"
        "    except OSError:\n"
        "        pass\n"
        "    return n\n"
    )
    try:
        assert session.function("bomb")() < 100
    except StoppedError as error:  # root without a user for students has no such limit
        assert "64 processes" in str(error) or "memory" in str(error)
    session.begin_cell()


def test_no_bubblewrap_is_refused_with_the_way_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        Sandbox()


def test_a_broken_bubblewrap_says_what_it_said(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho no namespaces here >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxError, match="no namespaces here"):
        Sandbox()


def test_without_a_sandbox_if_it_must_be():
    with Sandbox(jailed=False) as sandbox:
        session = Session(sandbox, Limits())
        session.run("def f(x):\n    return 2 * x")
        assert session.function("f")(torch.ones(2)).tolist() == [2, 2]
        session.close()
    assert session.cpu_seconds > 0
