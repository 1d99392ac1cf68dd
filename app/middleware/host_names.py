"""The form of a host's name in a request."""

import re

_NAME = r"\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?"

# RFC 9110, sections 4.2 and 7.2, limited to forms that browsers send: no user, no path, no odd address. Lower case.
HOST_NAME = re.compile(_NAME, re.ASCII)
HOST = re.compile(rf"(?P<name>{_NAME})(:(?P<port>[0-9]{{1,5}}))?", re.ASCII)
