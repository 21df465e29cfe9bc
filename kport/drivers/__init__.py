# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What binds the scheduler to hardware: the kernel's mock driver, and one shaped like amdgpu."""
