"""Swagger UI from its package, in Chinese, without a word to any other host."""

from pathlib import Path

from swagger_ui_bundle import swagger_ui_path

PAGE = """\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>民政业务平台 · 接口文档</title>
<link rel="stylesheet" href="/assets/swagger-ui.css">
<link rel="icon" href="/assets/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/assets/swagger-ui-bundle.js"></script>
<script src="/assets/docs.js"></script>
</body>
</html>
"""
_OURS = Path(__file__).parent / "static"
ASSETS = {
    "swagger-ui.css": Path(swagger_ui_path) / "swagger-ui.css",
    "swagger-ui-bundle.js": Path(swagger_ui_path) / "swagger-ui-bundle.js",
    "favicon-32x32.png": Path(swagger_ui_path) / "favicon-32x32.png",
    "docs.js": _OURS / "docs.js",
    "page.css": _OURS / "page.css",
}
"""What is served, by name: nothing else of those folders can be asked for."""
