"""The equity bridge of an account: its readings, from whoever can read it, and its page."""
