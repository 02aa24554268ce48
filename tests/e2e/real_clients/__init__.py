"""Clients that exist in the field, unmodified, against the running service: what the tests with them share."""

GATEWAY_TOKEN = "the-gateway-of-the-tests"
# Nobody is let in without a token.
GUARDED = ("--ddi.anonymous", "off", "--ddi.gateway_token", GATEWAY_TOKEN)
# What a service needs to serve them: polls and retries in a test's time, and the packages of SWUpdate beside the usual formats
# (decision 28).
SETTINGS = ("--ddi.sleep", "1s", "--retry.backoff_base", "100ms", "--firmware.extra_formats", "swu")
