"""The page's own tests: its types fit, and its pure parts do what their tests say."""

from tests.browser import page_build


def test_the_pages_types_fit_and_its_tests_pass():
    page_build.ready().test()
