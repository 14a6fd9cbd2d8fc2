# ST NUCLEO-L4R5ZI: the words by which CMakeLists.txt chooses flags and sources.
set(SQM_BOARD nucleo_l4r5zi)
set(SQM_ARCHITECTURE arm)
set(SQM_CORE_FLAGS -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
separate_arguments(SQM_CORE_FLAGS)
set(SQM_SOC stm32l4r5)
set(SQM_UART_DRIVER stm32_usart)
set(SQM_CYCLE_COUNTER dwt)
set(SQM_BOARD_STACK_BYTES 2048)
