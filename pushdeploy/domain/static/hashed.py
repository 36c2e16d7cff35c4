"""Names of files that hold a hash of the content: what has such a name never changes.

Caches keep these for a year and ask nobody, so a name that merely looks like one must not be taken
for one: ``photo-holiday1.jpg`` and ``report-20240101.pdf`` may change tomorrow.
"""

_ENDING = r"(?:\.[A-Za-z][A-Za-z0-9]{0,11}){1,3}$"
_HEXADECIMAL = r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}"
"""As webpack, Parcel, Hugo and Django write them: digits and letters both."""

_WORD = r"(?:[0-9]*[A-Za-z][a-z]*(?:[A-Z][a-z]+)*|[0-9]*[A-Z]+)[0-9]*"
"""Words as people write them: Settings, holiday1, MyButton, README2."""

_MIXED = rf"(?!{_WORD}\.)(?=[0-9]*[A-Za-z])(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{{8}}"
"""Eight characters of base 64, as Vite and Rollup write them, that are no words."""

_LARGE = r"(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[A-Z0-9]{8}(?=\.(?:m?js|css)(?:\.map)?$)"
"""Eight characters of base 32, as esbuild and Angular write them."""

_BUNDLER = r"/(?:_next/static|_app/immutable|_astro|_nuxt)/.*[A-Za-z0-9_-]{8}.*\.[A-Za-z0-9]+$"
"""Directories in which a builder promises that no name comes back with another content."""

HASHED = rf"(?:[.-](?:{_HEXADECIMAL}|{_MIXED}|{_LARGE}){_ENDING}|{_BUNDLER})"
"""PCRE and Python read it; it is searched for in an address."""
