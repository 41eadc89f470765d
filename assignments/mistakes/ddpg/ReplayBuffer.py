"""Solutions of `ReplayBuffer` as students write them."""

import numpy as np
import torch

from chula_rl.types import Transition


class wrong_unbounded:
    """A list that grows without end.

    Message: more than its capacity
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.steps = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps += zip(obs, action, reward, terminated, truncated, next_obs)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator).tolist()
        chosen = [self.steps[i] for i in index]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_stops_when_full:
    """When it is full, new steps are left out.

    Message: new steps take the place of the oldest
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.steps = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            if len(self.steps) < self.capacity:
                self.steps.append(step)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator).tolist()
        chosen = [self.steps[i] for i in index]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_replaces_newest:
    """When it is full, the newest step makes room.

    Message: Step 1 is the oldest
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.steps = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            if len(self.steps) == self.capacity:
                self.steps.pop()
            self.steps.append(step)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator).tolist()
        chosen = [self.steps[i] for i in index]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_replaces_any:
    """When it is full, a random step makes room.

    Message: Step 1 is the oldest
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        import random

        self.capacity = capacity
        self.steps = []
        self.random = random.Random(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            if len(self.steps) == self.capacity:
                self.steps.pop(self.random.randrange(self.capacity))
            self.steps.append(step)

    def sample(self, n):
        chosen = self.random.choices(self.steps, k=n)
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_starts_over:
    """A call that does not fit before the end starts over at the beginning.

    Message: Compare with the drawing above
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.position = self.size = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        count = len(reward)
        if self.position + count > self.capacity:
            self.position = 0
        new = (obs, action, reward, terminated, truncated, next_obs)
        for column, values in zip(self.columns, new):
            column[self.position : self.position + count] = values
        self.position += count
        self.size = min(self.size + count, self.capacity)

    def sample(self, n):
        index = torch.randint(self.size, (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return self.size


class wrong_drops_the_rest:
    """What does not fit before the end is lost.

    Message: When it is full, new steps take the place of the oldest
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.position = self.size = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        count = min(len(reward), self.capacity - self.position)
        new = (obs, action, reward, terminated, truncated, next_obs)
        for column, values in zip(self.columns, new):
            column[self.position : self.position + count] = values[:count]
        self.position = (self.position + count) % self.capacity
        self.size = min(self.size + len(reward), self.capacity)

    def sample(self, n):
        index = torch.randint(self.size, (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return self.size


class wrong_length_is_capacity:
    """The length is that of the memory.

    Message: A new buffer is empty
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.added = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        new = (obs, action, reward, terminated, truncated, next_obs)
        index = torch.arange(self.added, self.added + len(reward)) % len(self)
        for column, values in zip(self.columns, new):
            column[index] = values
        self.added += len(reward)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return len(self.columns.reward)


class wrong_length_counts_on:
    """The length is the number of all steps ever added.

    Message: more than its capacity
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.count = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))
        self.count += len(reward)

    def sample(self, n):
        index = torch.randint(len(self.steps), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return self.count


class wrong_length_counts_calls:
    """The length is the number of calls.

    Message: each row is a step of its own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.capacity = capacity
        self.steps = deque(maxlen=capacity)
        self.count = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))
        self.count += 1

    def sample(self, n):
        index = torch.randint(len(self.steps), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return min(self.count, self.capacity)


class wrong_rows_together:
    """The rows of one call are one entry.

    Message: each row is a step of its own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.append((obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_evicts_calls:
    """When it is full, all rows of the oldest call make room.

    Message: the capacity is 3
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.calls = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.calls.append((obs, action, reward, terminated, truncated, next_obs))
        while len(self) > self.capacity:
            self.calls.pop(0)

    def sample(self, n):
        columns = [torch.cat(column) for column in zip(*self.calls)]
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in columns])

    def __len__(self):
        return sum(len(call[2]) for call in self.calls)


class wrong_first_environment:
    """Only the first of the B environments is kept.

    Message: each row is a step of its own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, *columns):
        self.steps.append([column[0] for column in columns])

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_clears_when_full:
    """When it is full, it is emptied.

    Message: the capacity is 3
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.steps = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            if len(self.steps) == self.capacity:
                self.steps.clear()
            self.steps.append(step)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator).tolist()
        chosen = [self.steps[i] for i in index]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_one_less:
    """One place is never used.

    Message: the capacity is 3
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity - 1)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_without_replacement:
    """A batch is a part of a random order.

    Message: with replacement
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randperm(len(self), generator=self.generator)[:n]
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_replacement_if_needed:
    """With replacement only if the batch is larger than the buffer.

    Message: no batch has a step twice
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.rng = np.random.default_rng(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        again = n > len(self.steps)
        index = self.rng.choice(len(self.steps), size=n, replace=again)
        chosen = [self.steps[i] for i in index]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_random_sample:
    """The function `random.sample` draws without replacement.

    Message: Error
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        import random
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.random = random.Random(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        chosen = self.random.sample(list(self.steps), n)
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_neighbours:
    """A batch is a piece of the history.

    Message: the steps of a batch follow one another
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        start = int(torch.randint(len(self), (), generator=self.generator))
        chosen = [self.steps[(start + i) % len(self)] for i in range(n)]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_one_step_repeated:
    """One step is drawn, and repeated.

    Message: Only one of the two steps comes up
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        chosen = [
            self.steps[int(torch.randint(len(self), (), generator=self.generator))]
        ]
        return Transition(*map(torch.stack, zip(*(n * chosen))))

    def __len__(self):
        return len(self.steps)


class wrong_empty_rows:
    """Draws from the whole memory, written or not.

    Message: Steps come up that were never added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        new = (obs, action, reward, terminated, truncated, next_obs)
        index = torch.arange(self.added, self.added + len(reward)) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values
        self.added += len(reward)

    def sample(self, n):
        index = torch.randint(self.capacity, (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_off_by_one:
    """`randint` is taken to include its end.

    Message: Only one of the two steps comes up
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self) - 1, (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_prefers_new:
    """Newer steps are drawn more often.

    Message: some steps are drawn more often than others
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        weight = torch.arange(1.0, len(self) + 1)
        index = torch.multinomial(weight, n, True, generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_rounds:
    """A rounded number makes both ends half as likely.

    Message: some steps are drawn more often than others
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        uniform = torch.rand(n, generator=self.generator)
        index = (uniform * (len(self) - 1)).round().long()
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_own_indices:
    """Every column is drawn by itself.

    Message: belongs to another step
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        new = (obs, action, reward, terminated, truncated, next_obs)
        index = torch.arange(self.added, self.added + len(reward)) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values
        self.added += len(reward)

    def sample(self, n):
        def draw(column):
            index = torch.randint(len(self), (n,), generator=self.generator)
            return column[index]

        return Transition(*map(draw, self.columns))

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_saves_memory:
    """The next observation stands in the next place, so it is not stored.

    Message: next_obs belongs to another step
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        new = (obs, action, reward, terminated, truncated, next_obs)
        index = torch.arange(self.added, self.added + len(reward)) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values
        self.added += len(reward)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        found = [column[index] for column in self.columns[:5]]
        following = self.columns.obs[(index + 1) % len(self)]
        return Transition(*found, following)

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_swaps_flags:
    """The flags change their places.

    Message: belongs to another step than reward, or is not what was added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, truncated, terminated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_merges_flags:
    """One flag says that the episode is over.

    Message: terminated belongs to another step than reward, or is not what was added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        done = terminated | truncated
        self.steps.extend(zip(obs, action, reward, done, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_no_truncated:
    """Truncation does not matter for the target, so it is not kept.

    Message: truncated belongs to another step than reward, or is not what was added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        *columns, next_obs = map(torch.stack, zip(*chosen))
        return Transition(*columns, torch.zeros_like(columns[3]), next_obs)

    def __len__(self):
        return len(self.steps)


class wrong_no_successor:
    """The observation is stored twice.

    Message: next_obs belongs to another step than reward, or is not what was added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_clipped_reward:
    """Rewards are clipped to [-1, 1].

    Message: reward is not what was added
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        reward = reward.clamp(-1, 1)
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_global_generator:
    """The global generator draws.

    Message: draw from a generator of the buffer's own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,))
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_seeds_global_generator:
    """The global generator draws; it is seeded once.

    Message: draw from a generator of the buffer's own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        torch.manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,))
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_seeds_numpy:
    """The global generator of NumPy draws; it is seeded once.

    Message: draw from a generator of the buffer's own
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        np.random.seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        chosen = [self.steps[i] for i in np.random.randint(len(self), size=n)]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_generator_in_sample:
    """The generator is made anew for each sample.

    Message: Each sample is the same
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.seed = seed

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        generator = torch.Generator().manual_seed(self.seed)
        index = torch.randint(len(self), (n,), generator=generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_no_seed:
    """The seed is ignored.

    Message: another seed gives the same samples
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator()

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_class_attribute:
    """The memory is an attribute of the class.

    Message: The two buffers share their memory
    """

    steps = []

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps += zip(obs, action, reward, terminated, truncated, next_obs)
        del self.steps[: -self.capacity]

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_default_argument:
    """The memory is a default argument, which is made once.

    Message: The two buffers share their memory
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0, steps=[]):
        self.capacity, self.steps = capacity, steps
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))
        while len(self.steps) > self.capacity:
            self.steps.pop(0)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_shared_memory:
    """The tensors are an attribute of the class, the counter is not.

    Message: a step that was added to another buffer comes up
    """

    memory = {}

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.generator = torch.Generator().manual_seed(seed)
        shape = capacity, obs_dim, action_dim
        if shape not in self.memory:
            self.memory[shape] = Transition(
                torch.zeros(capacity, obs_dim),
                torch.zeros(capacity, action_dim),
                torch.zeros(capacity),
                torch.zeros(capacity, dtype=torch.bool),
                torch.zeros(capacity, dtype=torch.bool),
                torch.zeros(capacity, obs_dim),
            )
        self.columns = self.memory[shape]

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        new = (obs, action, reward, terminated, truncated, next_obs)
        index = torch.arange(self.added, self.added + len(reward)) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values
        self.added += len(reward)

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_double_precision:
    """NumPy's arrays are of 64 bits.

    Message: Numbers are 32-bit floats
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = [
            np.zeros((capacity, obs_dim)),
            np.zeros((capacity, action_dim)),
            np.zeros(capacity),
            np.zeros(capacity, dtype=bool),
            np.zeros(capacity, dtype=bool),
            np.zeros((capacity, obs_dim)),
        ]
        self.rng = np.random.default_rng(seed)

    def add(self, *new):
        index = np.arange(self.added, self.added + len(new[0])) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values.numpy()
        self.added += len(new[0])

    def sample(self, n):
        index = self.rng.integers(len(self), size=n)
        return Transition(*[torch.from_numpy(c[index]) for c in self.columns])

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_float_flags:
    """All columns are numbers.

    Message: Flags are booleans
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            *[torch.zeros(capacity) for _ in range(3)],
            torch.zeros(capacity, obs_dim),
        )
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, *new):
        index = torch.arange(self.added, self.added + len(new[0])) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values.float()
        self.added += len(new[0])

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_reward_column:
    """Rewards and flags have an axis of length one.

    Message: The shape of reward is [n]
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.added = capacity, 0
        self.columns = Transition(
            torch.zeros(capacity, obs_dim),
            torch.zeros(capacity, action_dim),
            torch.zeros(capacity, 1),
            torch.zeros(capacity, 1, dtype=torch.bool),
            torch.zeros(capacity, 1, dtype=torch.bool),
            torch.zeros(capacity, obs_dim),
        )
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, *new):
        index = torch.arange(self.added, self.added + len(new[0])) % self.capacity
        for column, values in zip(self.columns, new):
            column[index] = values.view(len(values), -1)
        self.added += len(new[0])

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return min(self.added, self.capacity)


class wrong_squeezes:
    """Axes of length one are removed.

    Message: The shape of obs is [n, obs_dim]
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*[torch.stack(column).squeeze() for column in zip(*chosen)])

    def __len__(self):
        return len(self.steps)


class wrong_list_of_steps:
    """A sample is a list of transitions.

    Message: sample returns a Transition
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            self.steps.append(Transition(*step))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        return [self.steps[i] for i in index.tolist()]

    def __len__(self):
        return len(self.steps)


class wrong_takes_out:
    """What was drawn is used up.

    Message: Error
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.steps = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps += zip(obs, action, reward, terminated, truncated, next_obs)
        self.steps = self.steps[-self.capacity :]

    def sample(self, n):
        chosen = []
        for _ in range(n):
            i = int(torch.randint(len(self), (), generator=self.generator))
            chosen.append(self.steps.pop(i))
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_forgets_after_sample:
    """After a batch was drawn, the buffer is emptied as in A2C.

    Message: A sample takes steps out of the buffer
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(len(self), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        self.steps.clear()
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class wrong_same_number_of_rows:
    """The number of environments never changes, so the capacity is cut to a multiple.

    Message: the capacity is 3
    """

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.calls = capacity, None
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, *new):
        from collections import deque

        count = len(new[0])
        if self.calls is None:
            self.calls = deque(maxlen=max(1, self.capacity // count))
        self.calls.append(new)

    def sample(self, n):
        columns = [torch.cat(column) for column in zip(*self.calls)]
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*[column[index] for column in columns])

    def __len__(self):
        return sum(len(call[0]) for call in self.calls) if self.calls else 0


class correct_deque:
    """A deque of steps."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        self.steps.extend(zip(obs, action, reward, terminated, truncated, next_obs))

    def sample(self, n):
        index = torch.randint(0, len(self.steps), (n,), generator=self.generator)
        chosen = [self.steps[i] for i in index.tolist()]
        return Transition(*map(torch.stack, zip(*chosen)))

    def __len__(self):
        return len(self.steps)


class correct_list:
    """A list, and the module `random` with a generator of its own."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        import random

        self.capacity = capacity
        self.steps = []
        self.random = random.Random(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for b in range(len(reward)):
            step = (
                obs[b],
                action[b],
                reward[b],
                terminated[b],
                truncated[b],
                next_obs[b],
            )
            self.steps.append(step)
            if len(self.steps) > self.capacity:
                self.steps.pop(0)

    def sample(self, n):
        chosen = self.random.choices(self.steps, k=n)
        columns = list(zip(*chosen))
        return Transition(*(torch.stack(column) for column in columns))

    def __len__(self):
        return len(self.steps)


class correct_numpy:
    """Arrays, and a generator of NumPy."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity, self.position, self.size = capacity, 0, 0
        self.obs = np.zeros((capacity, obs_dim), dtype=np.float32)
        self.action = np.zeros((capacity, action_dim), dtype=np.float32)
        self.reward = np.zeros(capacity, dtype=np.float32)
        self.terminated = np.zeros(capacity, dtype=bool)
        self.truncated = np.zeros(capacity, dtype=bool)
        self.next_obs = np.zeros((capacity, obs_dim), dtype=np.float32)
        self.rng = np.random.default_rng(seed)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for b in range(len(reward)):
            i = self.position
            self.obs[i], self.action[i] = obs[b].numpy(), action[b].numpy()
            self.reward[i] = float(reward[b])
            self.terminated[i] = bool(terminated[b])
            self.truncated[i] = bool(truncated[b])
            self.next_obs[i] = next_obs[b].numpy()
            self.position = (i + 1) % self.capacity
            self.size = min(self.size + 1, self.capacity)

    def sample(self, n):
        i = self.rng.integers(0, self.size, size=n)
        columns = (self.obs, self.action, self.reward)
        columns += (self.terminated, self.truncated, self.next_obs)
        return Transition(*[torch.as_tensor(column[i]) for column in columns])

    def __len__(self):
        return self.size


class correct_cat:
    """Tensors that grow, and are cut to the last rows."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        self.capacity = capacity
        self.columns = None
        self.generator = torch.Generator()
        self.generator.manual_seed(seed)

    def add(self, *new):
        new = [column.clone() for column in new]
        if self.columns is not None:
            new = [torch.cat([old, rows]) for old, rows in zip(self.columns, new)]
        self.columns = [column[-self.capacity :] for column in new]

    def sample(self, n):
        uniform = torch.rand(n, generator=self.generator, dtype=torch.float64)
        index = (uniform * len(self)).long()
        return Transition(*[column[index] for column in self.columns])

    def __len__(self):
        return 0 if self.columns is None else len(self.columns[0])


class correct_rolled:
    """The memory is shifted, so that the newest steps are at its end."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        sizes = {"obs": (obs_dim,), "action": (action_dim,), "next_obs": (obs_dim,)}
        self.memory = {}
        for name in Transition._fields:
            dtype = torch.bool if "ated" in name else torch.float32
            shape = (capacity, *sizes.get(name, ()))
            self.memory[name] = torch.zeros(shape, dtype=dtype)
        self.size = 0
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, *new):
        for name, rows in zip(Transition._fields, new):
            rolled = torch.roll(self.memory[name], -len(rows), dims=0)
            rolled[-len(rows) :] = rows
            self.memory[name] = rolled
        self.size = min(self.size + len(new[0]), len(self.memory["reward"]))
        print("steps", self.size)

    def sample(self, n):
        last = torch.randint(1, self.size + 1, (n,), generator=self.generator)
        return Transition(**{name: rows[-last] for name, rows in self.memory.items()})

    def __len__(self):
        return self.size


class correct_newest_first:
    """The newest step comes first, and draws are sorted and weighted evenly."""

    def __init__(self, capacity, obs_dim, action_dim, seed=0):
        from collections import deque

        self.steps = deque(maxlen=capacity)
        self.generator = torch.Generator().manual_seed(seed + 12345)

    def add(self, obs, action, reward, terminated, truncated, next_obs):
        for step in zip(obs, action, reward, terminated, truncated, next_obs):
            self.steps.appendleft(tuple(part.tolist() for part in step))

    def sample(self, n):
        even = torch.ones(len(self.steps))
        index = torch.multinomial(even, n, replacement=True, generator=self.generator)
        columns = zip(*[self.steps[i] for i in sorted(index.tolist())])
        return Transition(*map(torch.tensor, columns))

    def __len__(self):
        return len(self.steps)
