"""A venue on loopback for brokers to be judged against: its books, a dialect to speak, and faults on demand."""
