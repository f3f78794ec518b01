"""What applications and awards alike are refused for by the rules of 低保."""

from chassis.problems import Conflict


class ContradictsRules(Conflict):
    slug, title = "contradicts-rules", "与按规定测算的结果不一致"


class NoStandard(Conflict):
    slug, title = "standard-missing", "当日没有施行的低保标准"
