import math

import numpy as np
import pytest

from experiments.contract.initial import Distribution, constant, glorot_uniform, uniform_by


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_uniform_distribution_ends_at_its_bound() -> None:
    for drawn in (uniform_by(100), glorot_uniform(200, 400)):
        values = drawn.draw((100, 250), generator())
        assert values.dtype == np.float32
        assert 0.999 * 0.1 < np.abs(values).max() <= np.float32(0.1)
        assert abs(values.mean()) < 5 * 0.1 / math.sqrt(3 * values.size)


def test_a_normal_distribution_has_its_deviation() -> None:
    values = Distribution("normal", 2.0).draw((100, 250), generator())
    assert abs(values.mean()) < 5 * 2 / math.sqrt(values.size)
    assert values.std() == pytest.approx(2, rel=5 / math.sqrt(2 * values.size))
    # 4.6 % of a normal distribution are beyond two deviations, of a uniform one none.
    assert np.mean(np.abs(values) > 4) == pytest.approx(0.0455, abs=0.007)


@pytest.mark.parametrize("shape", [(24, 6), (6, 24), (6, 6)])
def test_an_orthogonal_matrix_has_orthonormal_columns_or_rows(shape: tuple[int, int]) -> None:
    values = Distribution("orthogonal").draw(shape, generator())
    assert values.dtype == np.float32
    tall = values if shape[0] >= shape[1] else values.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(6), atol=1e-6)


def test_every_orthogonal_matrix_is_equally_probable() -> None:
    # Without the signs of R, the diagonal of Q would be negative in most matrices, and its mean far from 0.
    draws = generator()
    diagonals = [np.diag(Distribution("orthogonal").draw((4, 4), draws)) for _ in range(500)]
    # An element of a random orthogonal matrix of 4 rows has mean 0 and variance 1/4.
    assert np.abs(np.mean(diagonals, axis=0)).max() < 5 * math.sqrt(1 / 4 / 500)
    assert np.var(diagonals) == pytest.approx(1 / 4, abs=0.03)


def test_a_constant_has_a_value_for_each_gate() -> None:
    np.testing.assert_array_equal(
        constant(0.0, 1.0, 0.0, 0.0).draw((8,), generator()), np.array([0, 0, 1, 1, 0, 0, 0, 0])
    )
    np.testing.assert_array_equal(constant(0.25).draw((2, 3), generator()), np.full((2, 3), 0.25, np.float32))
