"""Assignment 6: a summariser and an importance scorer, with a measured target."""

from companion.assignments.news import attend, importance, rouge, summarise
from companion.assignments.task import Assignment, Text

ASSIGNMENT = Assignment(
    id="news",
    title=Text("Importance and summary", "重要性与摘要"),
    tasks=(attend.RECEIVED, attend.CHOOSE, rouge.TASK, importance.TASK, summarise.TASK),
    minutes=120,
    level="medium",
)
