"""What pages of the platform share: the files that they load, and libraries that are fetched from npm once."""
