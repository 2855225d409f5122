"""Signal agents whose evidence breaks one demand each."""
