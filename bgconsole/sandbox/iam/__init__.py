"""Who may do what: the policies of IAM users and roles, for every call they sign."""
