"""A local AWS account in a box, spoken to over the AWS API; only `bgconsole.main` starts it."""
