"""The schedulers: each defines SCHEDULER, which makes a Scheduler of a ``SchedulerGround``."""
