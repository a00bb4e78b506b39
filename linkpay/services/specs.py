"""What an owner's file may say about a site, and how it must agree with itself."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.coupon import Discount, DiscountKind, Duration
from linkpay.domain.money import Money, split_evenly
from linkpay.domain.plan import PlanKind, Terms, Trial
from linkpay.domain.policy import merge

Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$")]
Title = Annotated[str, Field(min_length=1, max_length=120)]
Cents = Annotated[int, Field(gt=0, le=10_000_000)]
_CREDITOR_ID = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{3}[A-Z0-9]{1,28}", re.ASCII)
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,39}", re.ASCII)
_LONGEST_INTERVAL = 12  # of whatever unit: people agree to terms that they can oversee
_MOST_TERMS = 60


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PlanSpec(_Spec):
    """How an offer is paid: `amount_cents` each period.

    Instalments say instead what they come to (`total_cents` over `periods`, what does not divide goes to
    the first) or what each term is (`term_cents`). A membership may have a minimum term. What comes before
    or beside the periods is a trial (`trial_cents` 0: free) and a setup fee with the first payment.
    """

    slug: Slug
    title: Title
    kind: PlanKind = PlanKind.MEMBERSHIP
    amount_cents: Cents | None = None
    total_cents: Cents | None = None
    term_cents: Annotated[list[Cents], Field(max_length=_MOST_TERMS)] = []
    currency: Literal["EUR"] = "EUR"
    interval_unit: Unit = Unit.MONTH
    interval_count: int = 1
    periods: Annotated[int, Field(ge=2, le=_MOST_TERMS)] | None = None
    minimum_periods: Annotated[int, Field(ge=0, le=120)] = 0
    trial_days: Annotated[int, Field(ge=0, le=366)] = 0
    trial_cents: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    setup_fee_cents: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    vat_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 2100
    # Whether the checkout asks for a company and its VAT number.
    for_business: bool = False
    policy: dict[str, Any] = {}

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        given = [bool(self.amount_cents), bool(self.total_cents), bool(self.term_cents)]
        if sum(given) != 1:
            raise ValueError(
                "give the price once: amount_cents, or total_cents or term_cents for instalments"
            )
        if not self.amount_cents and self.kind is not PlanKind.INSTALMENTS:
            raise ValueError("total_cents and term_cents are for instalments; give amount_cents")
        if self.kind is PlanKind.INSTALMENTS and not self.term_cents and self.periods is None:
            raise ValueError("instalments say in how many terms: periods = 2 or more")
        if self.interval_unit is Unit.DAY or not 1 <= self.interval_count <= _LONGEST_INTERVAL:
            raise ValueError(f"an interval is 1 to {_LONGEST_INTERVAL} weeks, months or years")
        if self.trial_cents and not self.trial_days:
            raise ValueError("trial_cents is the price of a trial: say its trial_days as well")
        self.terms  # noqa: B018 - raises for terms that cannot be
        merge(self.policy)
        return self

    @property
    def terms(self) -> Terms:
        """The plan as the rules see it."""
        amounts = self._amounts()
        periods = 1 if self.kind is PlanKind.ONE_TIME else self.periods
        return Terms(
            self.kind,
            # What does not divide is in the first term; the others show what the plan costs as a rule.
            Money(self.amount_cents or amounts[-1], self.currency),
            Interval(self.interval_unit, self.interval_count),
            periods or (len(amounts) or None),
            term_cents=tuple(amounts) if len(set(amounts)) > 1 else (),
            minimum_periods=self.minimum_periods,
            trial=Trial(self.trial_days, self.trial_cents) if self.trial_days else None,
            setup_fee_cents=self.setup_fee_cents,
        )

    def _amounts(self) -> list[int]:
        """What each term is, where the file says so; empty where all are `amount_cents`."""
        if self.total_cents is not None and self.periods is not None:
            if self.total_cents < self.periods:
                raise ValueError("every term asks for money")
            return [part.cents for part in split_evenly(Money(self.total_cents), self.periods)]
        if self.term_cents and self.periods not in (None, len(self.term_cents)):
            raise ValueError(f"periods is {self.periods} but term_cents lists {len(self.term_cents)}")
        return self.term_cents


class CouponSpec(_Spec):
    """A code that takes `percent` (of each period's price) or `amount_cents` off.

    `plans` empty: for every plan of the site. `ends_on` is the last day on which it can be used.
    """

    code: str
    percent: Decimal | None = None
    amount_cents: Cents | None = None
    duration: Duration = Duration.ONCE
    periods: Annotated[int, Field(ge=1, le=120)] | None = None
    max_uses: Annotated[int, Field(ge=1)] | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    plans: list[Slug] = []

    @field_validator("code")
    @classmethod
    def _is_code(cls, code: str) -> str:
        if not _CODE.fullmatch(code.upper()):
            raise ValueError("a code has 2 to 40 letters, digits, - or _")
        return code.upper()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.percent is None) == (self.amount_cents is None):
            raise ValueError("a coupon takes a percent or amount_cents off: give one of them")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on comes before starts_on")
        self.discount  # noqa: B018 - raises for discounts that cannot be
        return self

    @property
    def discount(self) -> Discount:
        """The coupon as the rules see it."""
        if self.amount_cents is not None:
            return Discount(DiscountKind.AMOUNT, self.amount_cents, self.duration, self.periods)
        basis_points = (self.percent or Decimal(0)) * 100
        if basis_points != int(basis_points):
            raise ValueError("percent has at most two decimals")
        return Discount(DiscountKind.PERCENT, int(basis_points), self.duration, self.periods)


class BumpSpec(_Spec):
    """Something small that is offered beside an offer: a one-time `plan` of another one."""

    plan: Slug
    title: Title
    text: Annotated[str, Field(max_length=500)] = ""


class OfferFacts(_Spec):
    """What is sold, without how it is paid. Both Kajabi addresses come from the offer's page in Kajabi."""

    slug: Slug
    title: Title
    kajabi_offer_id: Annotated[str, Field(max_length=40)] | None = None
    activation_url: str
    deactivation_url: str
    course_url: Annotated[str, Field(max_length=500)] | None = None
    # What it opens at Kajabi, by any names; read from Kajabi's API where that is connected.
    products: list[Title] = []


class OfferSpec(OfferFacts):
    """What is sold, and how it is paid.

    `bumps` that are given are all that this offer has; without them, what it has stays.
    """

    plans: Annotated[list[PlanSpec], Field(min_length=1)]
    bumps: Annotated[list[BumpSpec], Field(max_length=3)] | None = None


class TagsSpec(_Spec):
    """Names of tags that exist at Kajabi; those left out are not set."""

    active: Title | None = None
    payment_failed: Title | None = None
    cancelled: Title | None = None


class KajabiSpec(_Spec):
    """Kajabi's public API: the key is made in Kajabi under Settings, Public API."""

    site_id: Annotated[str, Field(pattern=r"^[0-9]{1,40}$")]
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret: Annotated[str, Field(min_length=1, max_length=300)]
    tags: TagsSpec = TagsSpec()


class SiteSpec(_Spec):
    """One Kajabi site: the tenant."""

    slug: Slug
    name: Title
    mollie_key: str
    locale: Literal["nl", "en"] = "nl"
    zone: str = "Europe/Amsterdam"
    support_email: str | None = None
    login_url: str | None = None
    creditor_id: str | None = None
    policy: dict[str, Any] = {}
    kajabi: KajabiSpec | None = None
    offers: list[OfferSpec] = []
    coupons: list[CouponSpec] = []

    @field_validator("creditor_id")
    @classmethod
    def _creditor_id(cls, given: str | None) -> str | None:
        if given is not None and not cls.is_creditor_id(given):
            raise ValueError("a SEPA creditor id looks like NL12ZZZ123456780000")
        return given.replace(" ", "").upper() if given else None

    @staticmethod
    def is_creditor_id(given: str) -> bool:
        """Whether this can be a SEPA creditor id; blanks and capitals make no difference."""
        return _CREDITOR_ID.fullmatch(given.replace(" ", "").upper()) is not None
