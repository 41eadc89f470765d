"""The check of shapes, and what it says."""

import pytest
import torch

from chula_rl.errors import ShapeError
from chula_rl.shapes import check_same_shape


def test_check_same_shape_names_each_tensor_with_its_shape():
    check_same_shape(a=torch.zeros(2, 3), b=torch.ones(2, 3))
    with pytest.raises(ShapeError, match=r"a \(2, 3\), b \(3,\)"):
        check_same_shape(a=torch.zeros(2, 3), b=torch.zeros(3))
