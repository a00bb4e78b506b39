"""The parts that use cases and jobs are given; `linkpay.bootstrap` puts them together."""

from dataclasses import dataclass, field

from linkpay.clock import Clock
from linkpay.ports import AccessProvider, KajabiDirectory, Mailer, PaymentProvider
from linkpay.store.db import Database
from linkpay.store.secrets import SecretBox
from linkpay.store.together import Together


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything outside the rules. `base_url` is our own public address without a final slash."""

    database: Database
    clock: Clock
    box: SecretBox
    payments: PaymentProvider
    access: AccessProvider
    mailer: Mailer
    directory: KajabiDirectory
    base_url: str
    #: Who is mailed when something that must always be true is not; None: nobody.
    operator_email: str | None = None
    #: Transactions that the threads of this process share.
    together: Together = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "together", Together(self.database.write))
