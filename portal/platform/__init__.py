"""What every feature stands on: settings, database, files, requests, protection; no feature."""
