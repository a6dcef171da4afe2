@echo off
rem Everything that must hold before a change lands, without the browser: the Windows twin of ./test.
setlocal
chcp 65001 >nul
cd /d "%~dp0"
call run.cmd --with dev --install-only || exit /b 1
set "python=.venv\Scripts\python.exe"
set failed=0
%python% -m ruff check . || set failed=1
%python% -m ruff format --check . || set failed=1
%python% -m mypy || set failed=1
%python% -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))" || set failed=1
%python% -m pytest -q -m "not long and not browser" %* || set failed=1
exit /b %failed%
