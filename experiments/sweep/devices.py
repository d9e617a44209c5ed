"""Which device the trials of a study are trained on: in a framework, one kind, or their values can't be compared."""

import optuna

from experiments.settings.recipe import BackendName
from experiments.sweep.patience import patiently
from experiments.system.errors import TandemError


class Devices:
    """The devices of a study's workers; that of the first is kept in the study."""

    def __init__(self, study: optuna.Study, title: str) -> None:
        self.study, self.title = study, title
        self.known: dict[BackendName, str] = {}

    def check(self, backend: BackendName, device: str) -> None:
        """Make sure that a worker is on a device like those before it.

        Raises:
            TandemError: it is on another one.
        """
        expected = self._expected(backend, device)
        if expected != device:
            raise TandemError(
                f"{self.title}: expected workers on {expected}, as it was begun; got one on {device}; "
                "choose nodes of one kind (engines: constraint), or give another --name"
            )

    def _expected(self, backend: BackendName, device: str) -> str:
        name = f"device.{backend}"
        if backend not in self.known:
            known = patiently(lambda: self.study.user_attrs.get(name))
            if known is None:
                patiently(lambda: self.study.set_user_attr(name, device))
            self.known[backend] = known or device
        return self.known[backend]
