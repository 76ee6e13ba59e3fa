"""The dashboard: an engine as a page in a browser, from a process of its own. It cannot trade."""
