"""A page of an app's own is shown in place of an answer of the app, as it was given: HTML."""

from pushdeploy.domain.errors import UserError

MOST_PAGE_BYTES = 128 * 1024

ERROR_CODES = (400, 401, 403, 413, 414, 429, 431, 502, 503, 504)
"""What nginx answers by itself, in place of an app."""


def parse_page(data: bytes) -> str:
    """Take what was given as a page; ``UserError`` where it is none or too large."""
    if len(data) > MOST_PAGE_BYTES:
        raise UserError(
            f"the page is larger than {MOST_PAGE_BYTES // 1024} KB",
            "refer to pictures and styles by the addresses of another site",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("the page is not UTF-8", "iconv -t UTF-8 makes it so") from error
    if "\0" in text:
        raise UserError("the page has a byte of zero: it is no text", "give HTML")
    if not text.strip():
        raise UserError("the page is empty", "give HTML on standard input")
    return text


def parse_error_code(text: str) -> int:
    """Parse the status of an answer that nginx gives by itself."""
    if text not in {str(code) for code in ERROR_CODES}:
        known = ", ".join(map(str, ERROR_CODES))
        raise UserError(f"nginx answers {text[:10]!r} for no app by itself", f"there are {known}")
    return int(text)
