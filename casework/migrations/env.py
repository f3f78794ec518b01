from chassis.migrate import environment

environment()
