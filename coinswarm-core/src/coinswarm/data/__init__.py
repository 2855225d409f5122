"""The sample that ships: hourly BTC/USD and ETH/USD of 2017 and 2018 (see README.md beside this file)."""
