"""The DNS automation of October 2025 as it was built, from its published description.

Sources of each detail, as comments say: [AWS] the post-event summary (aws.amazon.com/message/101925), [TALK] DAT453 at
re:Invent 2025, [INF] our inference where neither says it. The names of the files are those of its parts: `route53` is
the provider, `plans` what planner and tree hold, `enactor` the core, `remedies` what can be switched on.
"""
