"""placeholder"""
from cyclopts import App
study = App(name="study", help="Studies")
