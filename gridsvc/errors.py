"""Everything that can be refused, each with a stable code.

GridError
├── Refused                  understood, and cannot be granted
│   ├── BadRequest               not well-formed: unknown field, wrong type, too long
│   ├── BadLocation              a place that cannot be one (reason says why)
│   ├── OutsideTheGrid           no cell covers the place or lies within tolerance
│   ├── UnknownCategory          no such category in force
│   ├── UnknownCondition         the category has no such filing condition
│   ├── BadAttribute             an attribute that the category has not, or not in this form
│   ├── UnknownComponent         no such component in the register
│   ├── FarFromComponent         the place given is not where the named component stands
│   ├── CameraTaken              the registry has a camera of this code already
│   ├── AccountTaken             the device has an account to sign in with already
│   ├── CameraOff                the camera is off: nobody looks through it
│   ├── NoGateway                no streaming gateway is set that serves the camera
│   ├── NotSignedIn              no valid token, cookie or key
│   ├── BadSignature             a signed request whose signature proves nothing
│   │   ├── SignatureMissing         unsigned, where this key's requests must be signed
│   │   ├── SignatureMalformed       headers of a signature that cannot be read
│   │   ├── SignatureTooOld          signed more than five minutes ago
│   │   ├── SignatureTooNew          signed more than five minutes ahead of the city's clock
│   │   ├── SignatureWrong           no secret in force makes this signature
│   │   └── SignatureTooNarrow       what is asked stands in headers, which no signature covers
│   ├── WrongPassword            name and password do not go together
│   ├── TooManyTries             sign-in or intake is throttled for this caller
│   ├── NotAllowed               this role may not do this
│   ├── ForgeryCheckFailed       a browser's write without its anti-forgery token
│   ├── VersionRequired          a change of a case without If-Match
│   ├── VersionConflict          the case has moved on since the caller read it
│   ├── WrongMoment              the case's state does not allow the move
│   ├── CallOver                 the call rings with this officer no more: it is taken, or was ended
│   ├── NotAnEmergency           only emergencies are exported as alerts
│   ├── GuardFailed              the move's own condition is not met
│   ├── RulesRefused             the edition of routing rules is not in the state for it
│   ├── MappingRefused           a mapping of JSON cannot be read, or is not in the state for it
│   ├── AbsenceOverlaps          the officer is absent then already
│   ├── AbsenceOver              an absence that is over or was cancelled is not cancelled
│   ├── KeyRequired              a write without Idempotency-Key
│   ├── KeyReused                an idempotency key with another body
│   ├── CameraMessageRefused     what a camera or program sent cannot be read as camera events
│   ├── WrongOffset              bytes of an upload that do not follow what is there already
│   ├── UploadBusy               another request writes to the same upload
│   ├── ChecksumMismatch         bytes of an upload that do not give the checksum they came with
│   ├── ProtocolVersion          another version of the upload protocol than the one spoken here
│   ├── TooLarge                 more bytes, rows or pixels than accepted
│   └── UnacceptedMedia          a file that is none of the accepted kinds
├── Unknown                  what is named does not exist, or not for this caller
├── Unavailable              try again: a part that is needed is away
│   └── CannotUnseal             a kept secret that no key in force opens
└── SetupError               a command cannot go on
    ├── CannotMigrate
    ├── BadSettings
    ├── CannotStart
    └── ImportRefused            a file is refused whole; carries its rows' defects

HTTP statuses live in `gridsvc/api/problems.py` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class GridError(Exception):
    """What went wrong, in words for the person who reads it; `code` and `facts` are for programs."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts: Mapping[str, object] = facts


class Refused(GridError):
    """Understood, and cannot be granted."""

    code = "refused"


class BadRequest(Refused):
    """The request is not well-formed.

    `facts` name the field, what was given and what is wanted.
    """

    code = "bad_request"


class BadLocation(Refused):
    """A place that cannot be one.

    `facts["reason"]` is one of swapped_axes, null_island, far_away, not_finite, datum_missing, out_of_range.
    """

    code = "bad_location"


class OutsideTheGrid(Refused):
    """No cell of the published grid set covers the place (WGS-84 degrees), and none lies within tolerance."""

    code = "outside_the_grid"

    def __init__(self, lon: float, lat: float) -> None:
        super().__init__(
            f"no cell covers lon {lon:.6f}, lat {lat:.6f} (WGS-84), or lies within tolerance",
            given={"lon": lon, "lat": lat},
            wanted="a place inside the published grid set",
        )


class UnknownCategory(Refused):
    """No such category in force."""

    code = "unknown_category"


class UnknownCondition(Refused):
    """The category has no such filing condition.

    `facts["wanted"]` lists those it has.
    """

    code = "unknown_condition"


class BadAttribute(Refused):
    """A report or a move says an attribute that its category has not, in a form that it cannot have, or not at all.

    `facts["name"]` says which, `facts["reason"]` is one of unknown, missing, too_long, not_a_number, not_a_choice,
    not_a_time.
    """

    code = "bad_attribute"


class UnknownComponent(Refused):
    """No such component in the register."""

    code = "unknown_component"


class FarFromComponent(Refused):
    """The place that a report gives lies too far from the component that it names.

    `facts["distance_m"]` says how far, `facts["most_m"]` how far it may.
    """

    code = "far_from_component"


class CameraTaken(Refused):
    """The registry has a camera of this code already."""

    code = "camera_taken"


class AccountTaken(Refused):
    """The device has an account that it signs in with already."""

    code = "account_taken"


class CameraOff(Refused):
    """The camera is off: nobody looks through it."""

    code = "camera_off"


class NoGateway(Refused):
    """No streaming gateway is set that serves the camera in this way."""

    code = "no_gateway"


class NotSignedIn(Refused):
    """No token, cookie or key, or one that is not valid any more."""

    code = "not_signed_in"


class BadSignature(Refused):
    """A signed request whose signature proves nothing."""

    code = "bad_signature"


class SignatureMissing(BadSignature):
    """Unsigned, where this key's requests must be signed, or with one of the three headers missing."""

    code = "signature_missing"


class SignatureMalformed(BadSignature):
    """The headers of a signature that cannot be read."""

    code = "signature_malformed"


class SignatureTooOld(BadSignature):
    """Signed longer ago than a signature is good: it may be a copy that somebody sends again."""

    code = "signature_too_old"


class SignatureTooNew(BadSignature):
    """Signed further ahead of the city's clock than clocks may differ."""

    code = "signature_too_new"


class SignatureWrong(BadSignature):
    """No secret in force makes this signature of this body."""

    code = "signature_wrong"


class SignatureTooNarrow(BadSignature):
    """What is said stands in headers, and a signature covers the body alone."""

    code = "signature_too_narrow"


class WrongPassword(Refused):
    """Name and password do not go together; which of the two is wrong is not told."""

    code = "wrong_password"


class TooManyTries(Refused):
    """Too many tries for now.

    `facts["retry_after_s"]` says how long to wait.
    """

    code = "too_many_tries"


class NotAllowed(Refused):
    """The caller's role may not do this."""

    code = "not_allowed"


class ForgeryCheckFailed(Refused):
    """A write that carries a browser's cookie but not the token that only our own page knows."""

    code = "forgery_check_failed"


class VersionRequired(Refused):
    """A change of a case must say which version it was decided on (If-Match)."""

    code = "version_required"


class VersionConflict(Refused):
    """The case has moved on.

    `facts["current_version"]` is what it is now.
    """

    code = "version_conflict"


class WrongMoment(Refused):
    """The case's state does not allow the move.

    `facts` name the state, the move and the moves that are allowed.
    """

    code = "wrong_moment"


class CallOver(Refused):
    """The call rings with this officer no more.

    `facts` say whether somebody has accepted it (`taken`, `by_you`) or what ended it (`ended_why`).
    """

    code = "call_over"


class NotAnEmergency(Refused):
    """Only a case of the severity emergency is exported as an alert."""

    code = "not_an_emergency"


class GuardFailed(Refused):
    """The move is allowed from this state, but its own condition is not met.

    `facts["guard"]` names it.
    """

    code = "guard_failed"


class RulesRefused(Refused):
    """An edition of routing rules cannot be published or gone back from: it is no draft, or replaced none."""

    code = "rules_refused"


class MappingRefused(Refused):
    """A mapping of JSON cannot be read, or its version is not in the state for it.

    `facts["reason"]` is bad_mapping, bad_name, has_a_draft or published, or the code of a sample that is no JSON.
    """

    code = "mapping_refused"


class AbsenceOverlaps(Refused):
    """The officer is absent then already.

    `facts` name the other absence, from when and until when.
    """

    code = "absence_overlaps"


class AbsenceOver(Refused):
    """The absence is over, or was cancelled before."""

    code = "absence_over"


class KeyRequired(Refused):
    """A write without Idempotency-Key."""

    code = "idempotency_key_required"


class KeyReused(Refused):
    """The idempotency key was used with another body."""

    code = "idempotency_key_reused"


class CameraMessageRefused(Refused):
    """What a camera or a program sent cannot be read as camera events.

    `facts["reason"]` is the stable code of what is wrong.
    """

    code = "camera_message_refused"


class WrongOffset(Refused):
    """The bytes do not follow what is there of the upload already.

    `facts["offset"]` says from which byte on it may go on, and so does the header Upload-Offset.
    """

    code = "wrong_offset"


class UploadBusy(Refused):
    """Another request writes to the same upload."""

    code = "upload_busy"


class ChecksumMismatch(Refused):
    """The bytes do not give the checksum that they came with; none of them is kept."""

    code = "checksum_mismatch"


class ProtocolVersion(Refused):
    """The upload protocol is spoken in another version, or its version is not named."""

    code = "protocol_version"


class TooLarge(Refused):
    """More bytes, rows or pixels than accepted."""

    code = "too_large"


class UnacceptedMedia(Refused):
    """The file's content is none of the accepted kinds, whatever its name says."""

    code = "unaccepted_media"


class Unknown(GridError):
    """What is named does not exist, or not for this caller: the two are not told apart."""

    code = "unknown"


class Unavailable(GridError):
    """A part that is needed is away for the moment; the same request may be sent again."""

    code = "unavailable"


class CannotUnseal(Unavailable):
    """A kept secret opens with no key in force: the instance was given other ones, or the row is not whole."""

    code = "cannot_unseal"


class SetupError(GridError):
    """A command cannot go on; the message says what to do."""

    code = "setup_error"


class CannotMigrate(SetupError):
    """The database cannot be brought to today's schema."""

    code = "cannot_migrate"


class BadSettings(SetupError):
    """A setting has a value that it cannot have."""

    code = "bad_settings"


class CannotStart(SetupError):
    """A server or process could not be started or found."""

    code = "cannot_start"


@dataclass(frozen=True)
class Defect:
    """One thing wrong with a file: where, what was given, what is wanted."""

    code: str
    message: str
    row: int | None = None  # counted from 1 as a person sees it: the header of a table is row 1
    field: str | None = None
    refuses: bool = True  # False: a warning


class ImportRefused(SetupError):
    """A file is refused whole; nothing of it was kept. `defects` names every reason."""

    code = "import_refused"

    def __init__(self, message: str, defects: Sequence[Defect], **facts: object) -> None:
        super().__init__(message, **facts)
        self.defects = tuple(defects)
