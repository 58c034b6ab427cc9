"""Who is told of what and when: routes, quiet hours, reminders, escalation and the weekly digest."""
