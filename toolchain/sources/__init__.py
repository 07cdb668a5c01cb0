"""The three ways to a part, in the order they are tried: found, downloaded, built."""
