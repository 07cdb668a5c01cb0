"""Whether the deployed stack answers as it should, asked through the way its users take."""
