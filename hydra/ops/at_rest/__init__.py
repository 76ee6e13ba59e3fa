"""An engine that does not run, taken up by a command for as long as the command takes."""
