@echo off
rem Starts the bot on Windows: the twin of ./run. bot\install.py does the work.
setlocal
chcp 65001 >nul
set "PYTHONUTF8=1"
set "here=%~dp0"
if defined PYTHON (
    "%PYTHON%" -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 && (
        "%PYTHON%" -I "%here%bot\install.py" %*
        exit /b
    )
    echo PYTHON=%PYTHON% 不能用：需要 Python 3.11 或更新。>&2
    exit /b 1
)
for %%p in ("py -3" "python" "python3") do (
    %%~p -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1 && (
        %%~p -I "%here%bot\install.py" %*
        exit /b
    )
)
echo 需要 Python 3.11 或更新，这台电脑上没有找到。请先执行：>&2
echo     winget install Python.Python.3.13>&2
echo 或到 python.org 下载安装，然后再运行一次。>&2
exit /b 1
